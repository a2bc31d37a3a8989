import type { Draft } from './draft.js';
import { keyLine, optionsHeading, questionHeading, standsApart, trailingKey } from './keys.js';
import { fold, isBlank, type Line } from './lines.js';
import { type Item, type Run, refused, startsLine } from './runs.js';
import { unemphasised } from './signs.js';

/** A line of the question, by its index, with what is left of it. */
interface Kept {
  text: string;
  readonly i: number;
}

/** The lines before the options, without number, headings, keys and footers. */
export function stemOf(draft: Draft, first: Item, runs: readonly Run[]): string {
  const opening = draft.lines[first.line]!;
  const part = startsLine(opening, first) ? [] : [opening.text.slice(0, first.mark.start).trimEnd()];
  const texts = [...draft.lines.slice(0, first.line).map(({ text }) => text), ...part];
  return questionOf(draft, texts, runs.some(opensWithNumber));
}

/** A question out of its lines; `listed` if its first line begins a list, so that a number there is none of a question. */
export function questionOf(draft: Draft, texts: readonly string[], listed: boolean): string {
  const kept: Kept[] = [];
  const last = texts.findLastIndex(
    (text, i) => !isBlank(text) && (text !== draft.lines[i]!.text || isText(draft.lines[i]!)),
  );
  const splits = (i: number) => i < last && kept.some(({ text }) => !isBlank(text));
  let slot = false;
  for (const [i, text] of texts.entries()) {
    const line = draft.lines[i]!;
    const whole = text === line.text;
    if (whole && !line.blank && slot && namesOption(line)) {
      slot = false;
      draft.takeKey(i, keyLine(`answer: ${line.folded.trim()}`)!);
      continue;
    }
    slot &&= line.blank;
    if (whole && line.key && !line.blank) {
      const { strength } = line.key;
      if (strength === 'mark' || strength === 'slot') {
        if (line.asks || splits(i)) throw refused(line, 'is it part of the question, or the answer?');
        slot = strength === 'slot';
        draft.takeKey(i, line.key);
        continue;
      }
      if (strength === 'text')
        throw refused(
          line,
          'it may be the answer, or say how to answer; take the answer out, or say it in other words',
        );
    }
    if (whole && line.footer) {
      const inSentence = kept.length > 0 || questionHeading(line.folded) > 0;
      if (line.footer === 'unsure' && inSentence && !standsAlone(draft, i))
        throw refused(line, 'is it part of the question, or a page number?');
      draft.takeOff('footer', i, 'a page footer or the like was taken off');
      continue;
    }
    if (whole && line.rule) {
      draft.as[i] = { as: 'rule' };
      if (kept.length === 0) continue;
    } else if (!draft.as[i]) draft.as[i] = { as: 'question' };
    if (kept.length > 0 || !line.blank) kept.push({ text: withoutTrailingKey(draft, text, line, i === last), i });
  }
  // `12. Question: ...`, or a heading on a line of its own before it.
  if (takeHeading(draft, kept, listed)) takeHeading(draft, kept, true);
  for (let last = kept.at(-1); last; last = kept.at(-1)) {
    const { text, i } = last;
    const heading = optionsHeading(fold(text));
    if (!heading && !isBlank(text) && draft.as[i]?.as !== 'rule') break;
    if (heading) {
      draft.as[i] = { as: 'heading' };
      draft.find('heading', draft.lines[i], text, 'a heading was taken off');
    }
    kept.pop();
  }
  return unemphasised(
    kept
      .map(({ text }) => text)
      .join('\n')
      .trim(),
  );
}

/** `Which drug? (Answer: B)` without what names the answer. */
function withoutTrailingKey(draft: Draft, text: string, line: Line, last: boolean): string {
  const at = trailingKey(text);
  const key = at < 0 ? undefined : keyLine(text.slice(at).replace(/^[([*_]+/, ''));
  const left = at < 0 ? text : text.slice(0, at).trimEnd();
  if (key?.strength === 'mark') {
    if (!last || !(standsApart(text, at) || /[?？؟][*_)\]\s]*$/.test(left)))
      throw refused(line, 'is its end part of the question, or the answer?');
    draft.findKey(line, key, text.slice(at));
    return left;
  }
  if (/[?:؟]\s*[([][A-J][)\]]\s*$/i.test(fold(text).slice(-40)))
    throw refused(line, 'it may name the answer at its end');
  return text;
}

/** Whether a line stands between blank ones, or at an end of the text. */
function standsAlone(draft: Draft, i: number): boolean {
  return [draft.lines[i - 1], draft.lines[i + 1]].every(line => line?.blank ?? true);
}

/**
 * Takes off the number or heading that opens a question; a bare number not where it is one of a list. Returns whether
 * another heading may follow: not behind one in words on the same line.
 */
function takeHeading(draft: Draft, kept: Kept[], listed: boolean): boolean {
  const first = kept.find(({ text }) => !isBlank(text));
  if (!first) return false;
  const folded = fold(first.text);
  const bare = /^\s*[[(#]?\s*\d/.test(folded);
  if (bare && (listed || /^\s*\(?1[.)].*\s\(?2[.)]\s/.test(folded.slice(0, 500)))) return true;
  const length = questionHeading(folded);
  if (length === 0) return false;
  const heading = first.text.slice(0, length);
  first.text = first.text.slice(length);
  if (isBlank(first.text)) draft.as[first.i] = { as: 'heading' };
  const line = draft.lines[first.i];
  draft.find(bare ? 'number' : 'heading', line, heading, 'the number or heading of the question was taken off');
  return bare || isBlank(first.text);
}

/** Whether a line in a question says something: neither key, footer, rule nor heading of options. */
function isText(line: Line): boolean {
  const key = line.key?.strength === 'mark' || line.key?.strength === 'slot';
  return !line.blank && !line.rule && !line.footer && !key && !optionsHeading(line.folded);
}

/** Whether the first line of the text is the first of a numbered list. */
export function opensWithNumber({ items, sequence }: Run): boolean {
  return items[0]!.line === 0 && sequence === '1' && items[0]!.mark.start === 0;
}

/** Whether a line is nothing but the name of an option: `B`, `(c)`, `③`. */
function namesOption(line: Line): boolean {
  return /^[([]?(?:[A-Za-z]|\d{1,2}|[①-⑳])[)\].]?$/u.test(line.folded.trim());
}
