import { letter } from '../question.js';
import type { Draft } from './draft.js';
import { keyLine, verdict } from './keys.js';
import { isFurther, type Line } from './lines.js';
import { isLettered } from './marks.js';
import { type Item, type Run, refused, startsAs } from './runs.js';

/** Reads the lines from the first option on, to the end. */
export function optionsOf(draft: Draft, run: Run): string[] {
  const count = run.items.length;
  const texts: string[] = Array(count).fill('');
  const first = run.items[0]!.line;
  const last = run.items.at(-1)!.line;
  const byLine = new Map<number, Item[]>();
  for (const item of run.items) byLine.set(item.line, [...(byLine.get(item.line) ?? []), item]);
  let current = run.items[0]!;
  let shared = false;
  let gap = false;
  let explaining = false;
  let noted = false;
  let slot = false;
  for (let i = first; i < draft.lines.length; i++) {
    const line = draft.lines[i]!;
    const here = byLine.get(i);
    const owner = [letter(current.ordinal - 1)];
    if (here) {
      if (line.quoted) throw refused(line, 'it begins with `>` and other lines do not');
      for (const item of here) texts[item.ordinal - 1] = item.text;
      current = here.at(-1)!;
      shared = here.length > 1 || run.inside;
      gap = explaining = slot = false;
      draft.as[i] = { as: 'option', options: here.map(({ ordinal }) => letter(ordinal - 1)) };
      continue;
    }
    const tail = i > last;
    if (line.rule && !gap && isFurther(line, draft.lines[current.line]!))
      throw refused(line, 'is it a further line of the option, or does it only divide?');
    if (line.blank || line.rule) {
      gap = true;
      if (line.rule) draft.as[i] = { as: 'rule' };
      continue;
    }
    const next = line.marks.find(mark => mark.style === run.style && mark.ordinal > 0);
    if (next && next.ordinal === count + 1 && tail && !/^(?:bare|alone)$/.test(next.frame))
      throw refused(line, explaining ? 'an option behind the key or explanation' : `it looks like one more option`);
    const below = slot ? keyLine(`answer: ${line.folded.replace(/^[\s*_]+|\*\*|__/g, '').trim()}`) : undefined;
    slot = false;
    if (below?.strength === 'mark') {
      draft.takeKey(i, below);
      continue;
    }
    const key =
      line.key && (line.key.strength === 'mark' || line.key.strength === 'slot' || tail) ? line.key : undefined;
    const further = !gap && isFurther(line, draft.lines[current.line]!);
    if (key && (further || !tail)) throw refused(line, 'is it a further line of the option, or the answer?');
    if (line.key?.strength === 'text' && !further && !tail)
      throw refused(line, 'is it a further line of the option, or the answer?');
    if (run.items[0]!.mark.ordinal === 0 && startsAs(line, run) && (key || line.explains || (explaining && !noted)))
      throw refused(line, 'is it one more option, or does it say what is right?');
    noted ||= line.explains && gap;
    if (key) {
      draft.takeKey(i, key);
      slot = key.strength === 'slot';
      explaining = tail;
      gap = true;
    } else if (explaining && !line.field && !line.footer) {
      draft.as[i] = { as: 'explanation' };
    } else if (
      !gap &&
      !isEmpty(texts, current) &&
      (line.footer
        ? further || (!tail && line.footer === 'unsure')
        : (line.explains || line.field) && (further || !tail))
    ) {
      throw refused(line, 'is it a further line of the option, or something else?');
    } else if (line.explains && (tail || gap || texts[current.ordinal - 1] !== '')) {
      explaining = true;
      draft.takeOff('explanation', i, 'an explanation or reference: it and what follows was taken off');
    } else if (line.footer && !isEmpty(texts, current)) {
      draft.takeOff('footer', i, 'a page footer or the like was taken off');
      gap = true;
    } else if (line.field && (tail || gap)) {
      draft.takeOff('field', i, 'it says something about the question and was taken off');
      gap = true;
    } else if (isEmpty(texts, current) && !otherMark(line, run)) {
      if (line.footer || line.field || line.explains)
        throw refused(line, `expected the text of option ${owner[0]} before it`);
      texts[current.ordinal - 1] = line.text.trim();
      gap = false;
      draft.as[i] = { as: 'option', options: owner };
    } else {
      refuseUnlessFurther(draft, line, run, current, { gap, tail, shared });
      texts[current.ordinal - 1] += `\n${line.text}`;
      draft.as[i] = { as: 'option', options: owner };
    }
  }
  texts.forEach((text, i) => {
    const item = run.items.find(({ ordinal }) => ordinal === i + 1)!;
    if (text.trim() === '') throw refused(draft.lines[item.line], `option ${letter(i)} has no text`);
  });
  return texts.map(text => text.trim());
}

/** Lets a line be a further line of the option before it only where nothing else is meant. */
function refuseUnlessFurther(
  draft: Draft,
  line: Line,
  run: Run,
  current: Item,
  { gap, tail, shared }: { gap: boolean; tail: boolean; shared: boolean },
): void {
  const expected = letter(current.ordinal);
  const indented = line.indent > draft.lines[current.line]!.indent;
  const other = otherMark(line, run);
  if (other) {
    const isNext = other.style === run.style || (other.ordinal === current.ordinal + 1 && isLettered(other.sequence));
    if (isNext || !indented) {
      if (tail && other.style !== run.style)
        throw refused(
          line,
          `it is marked ${other.shown}, in another style than the options before it (${run.items[0]!.mark.shown})`,
        );
      throw refused(line, `Expected option ${expected} next, got something else`);
    }
  }
  if (gap)
    throw refused(line, 'text behind a blank line after an option; is it part of the option, or something else?');
  if (shared) throw refused(line, 'it follows several options on one line, and may belong to any');
  if (verdict(line.folded.trim())) throw refused(line, 'it seems to say whether the option before it is right');
  if (line.explains || (tail && !indented))
    throw refused(line, 'text behind the last option; is it part of the option, or something else?');
  if (line.asks && !indented) throw refused(line, 'a question between the options');
}

/** The model sees letters: an option that names others by number would name nothing. */
export function refuseReferences(draft: Draft, options: readonly string[], run: Run, runs: readonly Run[]): void {
  if (isLettered(run.sequence) || run.items[0]!.mark.ordinal === 0) return;
  const statements = runs.some(other => other.items[0]!.line < run.items[0]!.line && other.sequence !== run.sequence);
  const i = options.findIndex(text => references.test(text.slice(0, 100)));
  if (i < 0 || (statements && !runs.some(other => other !== run && other.sequence === run.sequence))) return;
  throw refused(
    draft.lines[run.items.find(({ ordinal }) => ordinal === i + 1)!.line],
    'it names other options by their numbers, and the model is shown letters; write letters before and in the options',
  );
}

const references =
  /^(?:both|only|all\s+of|either|nur|beide|solo|sólo|seulement|apenas|somente)?\s*(?:options?|answers?|statements?)?\s*[([]?(?:\d|[①-⑩])[)\]]?(?:\s*(?:[,&+、]|and|or|y|o|e|et|ou|und|oder|및|和|与|と)\s*[([]?(?:\d|[①-⑩])[)\]]?)+(?:\s+(?:\p{L}+\s*){0,3})?\.?$/iu;

/** A mark of options that a line begins with, but none that words begin with too. */
function otherMark(line: Line, run: Run) {
  return line.marks.find(
    mark => mark.style === run.style || !/^(?:bare|alone|tab|[-=,/>:|·]|word.*)$/.test(mark.frame),
  );
}

function isEmpty(texts: readonly string[], current: Item): boolean {
  return texts[current.ordinal - 1] === '';
}
