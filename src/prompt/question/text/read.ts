import { MeditronError } from '../../../check/errors.js';
import { letter } from '../question.js';
import { noOptions, type ReadingFinding } from '../reading.js';
import {
  endsInVerdict,
  type KeyLine,
  keyLine,
  numberedQuestion,
  optionsHeading,
  questionHeading,
  trailingKey,
  verdict,
} from './keys.js';
import { fold, type Line, linesOf } from './lines.js';
import { isLettered, type Mark, namesIn } from './marks.js';
import { closes, type Item, type Run, refused, runsOf, short } from './runs.js';

/** What a line of the text was read as. */
export interface ReadLine {
  /** Counted from 1. */
  readonly line: number;
  readonly as: 'question' | 'option' | 'key' | 'explanation' | 'footer' | 'field' | 'heading' | 'rule';
  /** The letters of the options on it, or that it continues. */
  readonly options?: readonly string[];
  readonly text: string;
}

/** A plain text as a question. */
export interface PlainReading {
  readonly question: string;
  readonly options?: readonly string[];
  /** The letter of the right option, where a key names one. */
  readonly answer?: string;
  /** The marks of the first and the last option as written: `a)`, `d)`. */
  readonly marks?: readonly [string, string];
  readonly lines: readonly ReadLine[];
  readonly findings: readonly ReadingFinding[];
}

/**
 * Reads plain text. The last list of at least two marks of one style is the options, what stands before it the question, and what
 * stands behind it must be a key, an explanation, a footer or the like, which are taken off. All else is refused by line.
 * Throws `ERR_INPUT`.
 */
export function readPlain(text: string): PlainReading {
  refuseMarkup(text);
  const { lines, wrapping } = linesOf(text);
  const reader = new Reader(lines);
  if (wrapping.quotes) reader.find('mark', undefined, '>', 'the quotation marks before the lines were taken off');
  if (wrapping.breaks) reader.find('mark', undefined, '<br>', 'each was read as the end of a line');
  return reader.read();
}

/** A line of the question, by its index, with what is left of it. */
interface Kept {
  text: string;
  readonly i: number;
}

class Reader {
  readonly #lines: readonly Line[];
  /** What each line was read as, by index. */
  readonly #as: (Omit<ReadLine, 'line' | 'text'> | undefined)[];
  readonly #findings: ReadingFinding[] = [];
  readonly #keys: { readonly line: Line; readonly key: KeyLine }[] = [];
  /** How many lines before each ask something. */
  readonly #asks: readonly number[];

  constructor(lines: readonly Line[]) {
    this.#lines = lines;
    this.#as = lines.map(() => undefined);
    let count = 0;
    this.#asks = [0, ...lines.map(line => (count += line.asks ? 1 : 0))];
  }

  read(): PlainReading {
    const runs = runsOf(this.#lines);
    const run = this.#optionsAmong(runs);
    if (!run) return this.#open(runs);
    if (run.items.length > 26)
      throw refused(this.#lines[run.items[26]!.line], `Expected 2 to 26 options, got ${run.items.length}`);
    if (!isLettered(run.sequence) || !startsLine(this.#lines[run.items[0]!.line]!, run.items[0]!))
      this.#refuseLettered(run.items[0]!.line);
    const bulleted = run.items[0]!.mark.ordinal === 0;
    const mixed = this.#lines.find((line, i) => i < run.items[0]!.line && bulleted && line.key && startsAs(line, run));
    if (mixed) throw refused(mixed, 'is it one more option, or does it say what is right?');
    const given = this.#optionsOf(run);
    this.#refuseSecondQuestion(runs, run, given);
    const question = this.#stem(run.items[0]!, runs);
    if (question === '') throw refused(this.#lines[run.items[0]!.line], 'expected a `question` before the options');
    const { options, marked } = this.#withoutSigns(given, run);
    this.#refuseReferences(options, run, runs);
    const answer = this.#answer(options, run, marked);
    const marks = [run.items[0]!.mark.shown, run.items.at(-1)!.mark.shown] as const;
    if (run.sequence !== 'A')
      this.find(
        'renamed',
        this.#lines[run.items[0]!.line],
        marks.join(' … '),
        `the model is shown the options as A to ${letter(options.length - 1)}`,
      );
    return { question, options, ...(answer !== undefined && { answer }), marks, ...this.#report() };
  }

  find(kind: ReadingFinding['kind'], line: Line | undefined, text: string, message: string): void {
    this.#findings.push({ kind, ...(line && { line: line.number }), text: short(text.trim()), message });
  }

  #report(): Pick<PlainReading, 'lines' | 'findings'> {
    const lines = this.#lines.flatMap(({ number, text, blank }, i) => {
      const as = this.#as[i];
      return blank || !as ? [] : [{ line: number, ...as, text: text.trim() }];
    });
    return { lines, findings: [...this.#findings].sort((a, b) => (a.line ?? 0) - (b.line ?? 0)) };
  }

  /** The run that is the options, if one is. */
  #optionsAmong(runs: readonly Run[]): Run | undefined {
    const end = this.#firstClosing(runs);
    const before = runs.filter(run => run.items[0]!.line < end);
    const run = before.at(-1);
    if (!run) return undefined;
    if (this.#isList(run, end)) {
      const asking = run.items.find(item => this.#lines[item.line]!.asks);
      if (asking && startsLine(this.#lines[asking.line]!, asking))
        throw refused(this.#lines[asking.line], 'does it ask the question, or is it part of a list?');
      if (runs.some(other => other.items[0]!.line >= end))
        throw refused(this.#lines[end], 'is it part of the question, or an explanation?');
      if (before.some(other => other !== run && (isLettered(other.sequence) || !this.#isList(other, end))))
        throw refused(this.#lines[run.items[0]!.line], 'a second list in another style than the options before it');
      return undefined;
    }
    const first = this.#lines[run.items[0]!.line]!;
    if (first.quoted) throw refused(first, 'it begins with `>` and other lines do not');
    for (const earlier of before.slice(0, -1)) this.#refuseUnlessList(earlier, run);
    this.#refuseUnlessOptions(run);
    this.#refuseLone(run);
    return run;
  }

  /** The first line that closes what comes before it, behind a run that can be options. */
  #firstClosing(runs: readonly Run[]): number {
    for (const [i, line] of this.#lines.entries()) {
      if (!closes(line)) continue;
      if (runs.some(run => run.items.at(-1)!.line < i && (isLettered(run.sequence) || this.#asksBefore(run)))) return i;
    }
    return this.#lines.length;
  }

  /** Whether a run without letters is part of the question: nothing is asked before it, and something behind it. */
  #isList(run: Run, end: number): boolean {
    const [first, last] = [run.items[0]!, run.items.at(-1)!];
    const inText = !startsLine(this.#lines[first.line]!, first);
    const asksAfter = this.#asks[end]! > this.#asks[last.line + 1]! || (inText && last.text.search(/[?？]/) >= 0);
    if (inText) return !this.#introduced(run) && asksAfter;
    return !isLettered(run.sequence) && !this.#asksBefore(run) && asksAfter;
  }

  #asksBefore(run: Run): boolean {
    const first = run.items[0]!;
    const line = this.#lines[first.line]!;
    return this.#asks[first.line]! > 0 || /[?？؟]/.test(line.text.slice(0, first.mark.start));
  }

  /** Whether the words before a run that begins inside a line lead to options. */
  #introduced(run: Run): boolean {
    const first = run.items[0]!;
    const before = this.#lines[first.line]!.folded.slice(0, first.mark.start).trim().slice(-80);
    return (
      /[?:؟][*_)\]\s]*$/.test(before) ||
      (run.items.length >= 3 && /(?:[.…]|_{2,})[*_)\]\s]*$/.test(before)) ||
      optionsHeading(before)
    );
  }

  /** A list before the options is part of the question only where it cannot be the options of another one. */
  #refuseUnlessList(earlier: Run, run: Run): void {
    const asked = this.#asksBefore(earlier);
    const first = run.items[0]!;
    const between = this.#lines[first.line]!.text.slice(0, first.mark.start);
    const asksBetween = this.#asks[first.line]! > this.#asks[earlier.items.at(-1)!.line + 1]! || /[?？؟]/.test(between);
    const line = this.#lines[first.line];
    const bullets = earlier.items[0]!.mark.ordinal === 0;
    if (asked && asksBetween)
      throw refused(line, 'a second question, or a second list of options, begins here; ask one question at a time');
    if (isLettered(earlier.sequence) && isLettered(run.sequence))
      throw refused(
        line,
        `a second list of options begins here; the first begins on line ${this.#lines[earlier.items[0]!.line]!.number}`,
      );
    const plainList = !asked && asksBetween;
    const statements =
      isLettered(run.sequence) || (!bullets && earlier.sequence !== run.sequence && run.items[0]!.mark.ordinal > 0);
    if (!plainList && (isLettered(earlier.sequence) || earlier.style === run.style || !statements))
      throw refused(
        line,
        `it begins a list in another style than the options from line ${this.#lines[earlier.items[0]!.line]!.number} on`,
      );
    const at = this.#lines[earlier.items[0]!.line]!;
    this.find('list', at, at.text, `a list of ${earlier.items.length} that was read as part of the question`);
  }

  /** Bullets and numbers are as often findings or drugs as options: something must ask for options. */
  #refuseUnlessOptions(run: Run): void {
    const first = run.items[0]!;
    const line = this.#lines[first.line]!;
    if (!startsLine(line, first)) {
      if (!this.#introduced(run))
        throw refused(
          line,
          `it may hold options (${first.mark.shown} and ${run.items[1]!.mark.shown}) or only mention them`,
        );
      return;
    }
    if (first.mark.ordinal === 0) {
      const other = run.items.find(item => this.#lines[item.line]!.indent !== line.indent);
      if (other)
        throw refused(
          this.#lines[other.line],
          'is it an option, or part of the one before it? It is indented otherwise',
        );
      const asking = run.items.filter(({ text }) => /[?？؟]/.test(text));
      if (asking.length > 0 && asking.length < run.items.length)
        throw refused(this.#lines[asking[0]!.line], 'is it an option, or part of the question?');
    }
    for (let i = 2; i < run.items.length; i++) {
      const [before, here] = [run.items[i - 1]!, run.items[i]!].map(item => this.#lines[item.line]!);
      if (before!.indent !== line.indent) break;
      if (isFurther(here!, line))
        throw refused(here, 'is it an option, or part of the one before it? It is indented otherwise');
    }
    if (first.mark.ordinal > 0 && run.sequence !== '1') return;
    const before = this.#lines.slice(0, first.line).findLast(({ blank }) => !blank);
    if (!before || this.#asksBefore(run) || optionsHeading(before.folded.trim())) return;
    const title = /:\s*$/.test(before.folded) && before.folded.trim().split(/\s+/).length <= 4;
    if (first.mark.ordinal === 0 || title)
      throw refused(line, 'a list that may be options or part of the case: nothing before it asks a question');
  }

  /** `A.` or a bullet before the options, with no question behind it, may be a lost option. */
  #refuseLone(run: Run): void {
    const first = run.items[0]!;
    const bulleted = first.mark.ordinal === 0;
    for (let i = 1; i < first.line; i++) {
      const line = this.#lines[i]!;
      if (bulleted && startsAs(line, run) && (this.#asks[i]! > 0 || this.#asks[first.line]! === this.#asks[i + 1]!))
        throw refused(line, 'is it an option? A line that is none stands between it and the others');
      if (bulleted) continue;
      const lone = line.marks.find(mark => mark.style === run.style && mark.ordinal === 1);
      if (lone && !line.key && this.#asks[first.line]! === this.#asks[i + 1]!)
        throw refused(
          this.#lines[first.line],
          `Expected option ${letter(1)} next, got a line that starts with ${quote(this.#lines[first.line]!)}`,
        );
    }
  }

  /** Reads the lines from the first option on, to the end. */
  #optionsOf(run: Run): string[] {
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
    for (let i = first; i < this.#lines.length; i++) {
      const line = this.#lines[i]!;
      const here = byLine.get(i);
      const owner = [letter(current.ordinal - 1)];
      if (here) {
        if (line.quoted) throw refused(line, 'it begins with `>` and other lines do not');
        for (const item of here) texts[item.ordinal - 1] = item.text;
        current = here.at(-1)!;
        shared = here.length > 1 || run.inside;
        gap = explaining = slot = false;
        this.#as[i] = { as: 'option', options: here.map(({ ordinal }) => letter(ordinal - 1)) };
        continue;
      }
      const tail = i > last;
      if (line.rule && !gap && isFurther(line, this.#lines[current.line]!))
        throw refused(line, 'is it a further line of the option, or does it only divide?');
      if (line.blank || line.rule) {
        gap = true;
        if (line.rule) this.#as[i] = { as: 'rule' };
        continue;
      }
      const below = slot ? keyLine(`answer: ${line.folded.replace(/^[\s*_]+|\*\*|__/g, '').trim()}`) : undefined;
      slot = false;
      if (below?.strength === 'mark') {
        this.#key(i, below);
        continue;
      }
      const key =
        line.key && (line.key.strength === 'mark' || line.key.strength === 'slot' || tail) ? line.key : undefined;
      const next = line.marks.find(mark => mark.style === run.style && mark.ordinal > 0);
      if (next && next.ordinal === count + 1 && tail && !/^(?:bare|alone)$/.test(next.frame))
        throw refused(line, explaining ? 'an option behind the key or explanation' : `it looks like one more option`);
      const further = !gap && isFurther(line, this.#lines[current.line]!);
      if (key && (further || !tail)) throw refused(line, 'is it a further line of the option, or the answer?');
      if (line.key?.strength === 'text' && !further && !tail)
        throw refused(line, 'is it a further line of the option, or the answer?');
      if (run.items[0]!.mark.ordinal === 0 && startsAs(line, run) && (key || line.explains || (explaining && !noted)))
        throw refused(line, 'is it one more option, or does it say what is right?');
      noted ||= line.explains && gap;
      if (key) {
        this.#key(i, key);
        slot = key.strength === 'slot';
        explaining = tail;
        gap = true;
      } else if (explaining && !line.field && !line.footer) {
        this.#as[i] = { as: 'explanation' };
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
        this.#takeOff('explanation', i, 'an explanation or reference: it and what follows was taken off');
      } else if (line.footer && !isEmpty(texts, current)) {
        this.#takeOff('footer', i, 'a page footer or the like was taken off');
        gap = true;
      } else if (line.field && (tail || gap)) {
        this.#takeOff('field', i, 'it says something about the question and was taken off');
        gap = true;
      } else if (isEmpty(texts, current) && !otherMark(line, run)) {
        if (line.footer || line.field || line.explains)
          throw refused(line, `expected the text of option ${owner[0]} before it`);
        texts[current.ordinal - 1] = line.text.trim();
        gap = false;
        this.#as[i] = { as: 'option', options: owner };
      } else {
        this.#refuseUnlessFurther(line, run, current, { gap, tail, shared });
        texts[current.ordinal - 1] += `\n${line.text}`;
        this.#as[i] = { as: 'option', options: owner };
      }
    }
    texts.forEach((text, i) => {
      const item = run.items.find(({ ordinal }) => ordinal === i + 1)!;
      if (text.trim() === '') throw refused(this.#lines[item.line], `option ${letter(i)} has no text`);
    });
    return texts.map(text => text.trim());
  }

  /** Lets a line be a further line of the option before it only where nothing else is meant. */
  #refuseUnlessFurther(
    line: Line,
    run: Run,
    current: Item,
    { gap, tail, shared }: { gap: boolean; tail: boolean; shared: boolean },
  ): void {
    const expected = letter(current.ordinal);
    const indented = line.indent > this.#lines[current.line]!.indent;
    const other = otherMark(line, run);
    if (other) {
      const isNext = other.style === run.style || (other.ordinal === current.ordinal + 1 && isLettered(other.sequence));
      if (isNext || !indented) {
        if (tail && other.style !== run.style)
          throw refused(
            line,
            `it is marked ${other.shown}, in another style than the options before it (${run.items[0]!.mark.shown})`,
          );
        throw refused(line, `Expected option ${expected} next, got a line that starts with ${quote(line)}`);
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

  #takeOff(kind: 'explanation' | 'footer' | 'field', i: number, message: string): void {
    this.#as[i] = { as: kind };
    this.find(kind, this.#lines[i]!, this.#lines[i]!.text, message);
  }

  #key(i: number, key: KeyLine): void {
    const line = this.#lines[i]!;
    this.#as[i] = { as: 'key' };
    this.#keys.push({ line, key });
    const message =
      key.strength === 'slot'
        ? 'a line for the answer was taken off'
        : 'the answer key was taken off; it is not sent to the model';
    this.find('key', line, line.text, message);
  }

  /** Behind the options there may be an explanation of each, but no other question. */
  #refuseSecondQuestion(runs: readonly Run[], run: Run, options: readonly string[]): void {
    const last = run.items.at(-1)!.line;
    const second = (line: Line | undefined) =>
      refused(
        line,
        'another question seems to begin here or above; ask one question at a time (`eval --file` takes many)',
      );
    for (let i = last + 1; i < this.#lines.length; i++) {
      const line = this.#lines[i]!;
      if (numberedQuestion(line.folded) || (line.asks && /^\s*\(?\d{1,4}\s*[.)]/.test(line.folded))) throw second(line);
    }
    for (const other of runs) {
      const start = other.items[0]!.line;
      if (start <= last) continue;
      const before = this.#lines.slice(last + 1, start).findLast(({ blank }) => !blank);
      const same = other.items.every(({ text }, i) => options[i] !== undefined && plainStart(text, options[i]));
      const asks = this.#asks[start]! > this.#asks[last + 1]!;
      if (same || (before && closes(before))) continue;
      if (asks || isLettered(other.sequence)) throw second(this.#lines[start]);
    }
  }

  /** The lines before the options, without number, headings, keys and footers. */
  #stem(first: Item, runs: readonly Run[]): string {
    const opening = this.#lines[first.line]!;
    const part = startsLine(opening, first) ? [] : [opening.text.slice(0, first.mark.start).trimEnd()];
    const texts = [...this.#lines.slice(0, first.line).map(({ text }) => text), ...part];
    return this.#question(texts, runs.some(opensWithNumber));
  }

  /** A question out of its lines; `listed` if its first line begins a list, so that a number there is none of a question. */
  #question(texts: readonly string[], listed: boolean): string {
    const kept: Kept[] = [];
    const last = texts.findLastIndex(
      (text, i) => !isBlank(text) && (text !== this.#lines[i]!.text || isText(this.#lines[i]!)),
    );
    const splits = (i: number) => i < last && kept.some(({ text }) => !isBlank(text));
    let slot = false;
    for (const [i, text] of texts.entries()) {
      const line = this.#lines[i]!;
      const whole = text === line.text;
      if (whole && !line.blank && slot && namesOption(line)) {
        slot = false;
        this.#key(i, keyLine(`answer: ${line.folded.trim()}`)!);
        continue;
      }
      slot &&= line.blank;
      if (whole && line.key && !line.blank) {
        const { strength } = line.key;
        if (strength === 'mark' || strength === 'slot') {
          if (line.asks || splits(i)) throw refused(line, 'is it part of the question, or the answer?');
          slot = strength === 'slot';
          this.#key(i, line.key);
          continue;
        }
        if (strength === 'text')
          throw refused(
            line,
            'it may be the answer, or say how to answer; take the answer out, or say it in other words',
          );
      }
      if (whole && line.footer) {
        if (line.footer === 'unsure' && !this.#standsAlone(i))
          throw refused(line, 'is it part of the question, or a page number?');
        this.#takeOff('footer', i, 'a page footer or the like was taken off');
        continue;
      }
      if (whole && line.rule) {
        this.#as[i] = { as: 'rule' };
        if (kept.length === 0) continue;
      } else if (!this.#as[i]) this.#as[i] = { as: 'question' };
      if (kept.length > 0 || !line.blank) kept.push({ text: this.#withoutTrailingKey(text, line, i === last), i });
    }
    // `12. Question: ...`, or a heading on a line of its own before it.
    if (this.#heading(kept, listed)) this.#heading(kept, true);
    for (let last = kept.at(-1); last; last = kept.at(-1)) {
      const { text, i } = last;
      const heading = optionsHeading(fold(text));
      if (!heading && !isBlank(text) && this.#as[i]?.as !== 'rule') break;
      if (heading) {
        this.#as[i] = { as: 'heading' };
        this.find('heading', this.#lines[i], text, 'a heading was taken off');
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
  #withoutTrailingKey(text: string, line: Line, last: boolean): string {
    const at = trailingKey(text);
    const key = at < 0 ? undefined : keyLine(text.slice(at).replace(/^[([*_]+/, ''));
    const left = at < 0 ? text : text.slice(0, at).trimEnd();
    if (key?.strength === 'mark') {
      if (!last || !(standsApart(text, at) || /[?？؟][*_)\]\s]*$/.test(left)))
        throw refused(line, 'is its end part of the question, or the answer?');
      this.#keys.push({ line, key });
      this.find('key', line, text.slice(at), 'the answer key was taken off; it is not sent to the model');
      return left;
    }
    if (/[?:؟]\s*[([][A-J][)\]]\s*$/i.test(fold(text).slice(-40)))
      throw refused(line, 'it may name the answer at its end');
    return text;
  }

  /** Whether a line stands between blank ones, or at an end of the text. */
  #standsAlone(i: number): boolean {
    return [this.#lines[i - 1], this.#lines[i + 1]].every(line => line?.blank ?? true);
  }

  /**
   * Takes off the number or heading that opens a question; a bare number not where it is one of a list. Returns whether
   * another heading may follow: not behind one in words on the same line.
   */
  #heading(kept: Kept[], listed: boolean): boolean {
    const first = kept.find(({ text }) => !isBlank(text));
    if (!first) return false;
    const folded = fold(first.text);
    const bare = /^\s*[[(#]?\s*\d/.test(folded);
    if (bare && (listed || /^\s*\(?1[.)].*\s\(?2[.)]\s/.test(folded.slice(0, 500)))) return true;
    const length = questionHeading(folded);
    if (length === 0) return false;
    const heading = first.text.slice(0, length);
    first.text = first.text.slice(length);
    if (isBlank(first.text)) this.#as[first.i] = { as: 'heading' };
    const line = this.#lines[first.i];
    this.find(bare ? 'number' : 'heading', line, heading, 'the number or heading of the question was taken off');
    return bare || isBlank(first.text);
  }

  /** Takes off what marks one option as right or says how many chose it. */
  #withoutSigns(given: readonly string[], run: Run): { options: string[]; marked: number | undefined } {
    const byOrdinal = [...run.items].sort((a, b) => a.ordinal - b.ordinal);
    const signs = new Map<number, string>();
    const prefixes = byOrdinal.map(({ mark }) => signOf(mark.prefix));
    const usual =
      prefixes.find(({ rest }, i) => prefixes.some((other, j) => j !== i && other.rest === rest))?.rest ?? '';
    prefixes.forEach(({ right, rest }, i) => {
      const { line, mark } = byOrdinal[i]!;
      if (right || (rest !== usual && /^[*→=]$/.test(rest))) signs.set(i, mark.prefix);
      else if (rest !== usual)
        throw refused(this.#lines[line], `${mark.prefix || 'nothing'} stands before this option, unlike the others`);
    });
    const bold = byOrdinal.flatMap(({ mark }, i) => (mark.emphasis !== '' || isBold(given[i]!) ? [i] : []));
    let options = given.map((text, i) => unclosed(text, byOrdinal[i]!.mark.emphasis));
    if (bold.length === 1) signs.set(bold[0]!, '**');
    else if (bold.length > 0 && bold.length < given.length)
      this.find('mark', undefined, '**', `the emphasis of ${bold.map(letter).join(', ')} was taken off`);
    options = options.map(unemphasised);
    options = options.map((text, i) => {
      const end = ending(text, rightEnding);
      // `*S. aureus*` is a name in italics.
      const sign = end.startsWith('*') && text.slice(0, -end.length).includes('*') && !/correct/i.test(end) ? '' : end;
      if (sign !== '') signs.set(i, sign);
      return text.slice(0, text.length - (sign || ending(text, wrongEnding)).length).trimEnd();
    });
    options = options.map((text, i) => {
      const at = trailingKey(text);
      if (at < 0) return text;
      const key = keyLine(text.slice(at).replace(/^[([*_]+/, ''));
      const line = this.#lines[byOrdinal[i]!.line]!;
      if (key?.strength !== 'mark' || i < options.length - 1 || !(run.inside || standsApart(text, at)))
        throw refused(line, 'is its end part of the option, or the answer?');
      this.#keys.push({ line, key });
      this.find('key', line, text.slice(at), 'the answer key was taken off; it is not sent to the model');
      const left = text.slice(0, at).trimEnd();
      return left.slice(0, left.length - ending(left, /[\s;,([]{1,20}$/).length);
    });
    if (run.inside) options = withoutSeparators(options);
    const joined = options.slice(0, -1).findIndex(text => joinsOn.test(text.slice(-20)));
    if (run.inside && (joined >= 0 || /[?？]/.test(options.at(-1)!)))
      throw refused(
        this.#lines[byOrdinal[Math.max(joined, 0)]!.line],
        'it may be a sentence that names the options rather than a list of them',
      );
    options.forEach((text, i) => {
      if (endsInVerdict(text)) throw refused(this.#lines[byOrdinal[i]!.line], 'it seems to say which option is right');
    });
    const shares = options.map(text => ending(text, /[([]\s{0,3}\d{1,3}\s{0,3}%\s{0,3}[)\]]$/));
    const percent = shares.reduce((sum, share) => sum + Number(/\d+/.exec(share) ?? Number.NaN), 0);
    if (options.length >= 3 && Math.abs(percent - 100) <= 2) {
      options = options.map((text, i) => text.slice(0, text.length - shares[i]!.length).trimEnd());
      this.find('mark', undefined, shares.join(' '), 'how many chose each option was taken off');
    }
    if (signs.size > 1)
      throw refused(this.#lines[byOrdinal[[...signs.keys()][1]!]!.line], 'several options are marked as right');
    for (const [i, sign] of signs)
      this.find(
        'key',
        this.#lines[byOrdinal[i]!.line],
        sign,
        `it marks option ${letter(i)} as right, and was taken off`,
      );
    return { options, marked: signs.keys().next().value };
  }

  /** The model sees letters: an option that names others by number would name nothing. */
  #refuseReferences(options: readonly string[], run: Run, runs: readonly Run[]): void {
    if (isLettered(run.sequence) || run.items[0]!.mark.ordinal === 0) return;
    const statements = runs.some(other => other.items[0]!.line < run.items[0]!.line && other.sequence !== run.sequence);
    const i = options.findIndex(text => references.test(text.slice(0, 100)));
    if (i < 0 || (statements && !runs.some(other => other !== run && other.sequence === run.sequence))) return;
    throw refused(
      this.#lines[run.items.find(({ ordinal }) => ordinal === i + 1)!.line],
      'it names other options by their numbers, and the model is shown letters; write letters before and in the options',
    );
  }

  /** The letter that keys and signs agree on. */
  #answer(options: readonly string[], run: Run, marked: number | undefined): string | undefined {
    let answer = marked;
    for (const { line, key } of this.#keys) {
      const place = this.#placeOf(key, options, run, line);
      if (place === undefined) continue;
      if (answer !== undefined && answer !== place)
        throw refused(line, `it names option ${letter(place)} as right, and another place ${letter(answer)}`);
      answer = place;
    }
    return answer === undefined ? undefined : letter(answer);
  }

  #placeOf(key: KeyLine, options: readonly string[], run: Run, line: Line): number | undefined {
    const same = (text: string) => options.findIndex(option => plain(option) === plain(text));
    if (key.marks.length === 0 || key.strength === 'text' || key.strength === 'weak') {
      const place = same(key.value);
      if (place >= 0) return place;
      const named = key.marks.length === 1 ? same(key.rest) : -1;
      return named >= 0 && namesIn(key.marks[0]!).some(([, ordinal]) => ordinal === named + 1) ? named : undefined;
    }
    if (key.marks.length > 1) {
      this.find('key', line, key.value, 'the key names several options; the model is asked for one');
      return undefined;
    }
    const names = namesIn(key.marks[0]!);
    const fits = names.filter(([sequence]) =>
      isLettered(run.sequence) || run.sequence === '☐' || run.items[0]!.mark.ordinal === 0
        ? isLettered(sequence)
        : sequence === run.sequence || (sequence === '1' && !isLettered(sequence)),
    );
    const place = fits[0]?.[1];
    if (place === undefined) return undefined;
    if (place > options.length)
      throw refused(line, `it names an option that is not among the ${options.length} that were found`);
    return place - 1;
  }

  /** No options: an open question, unless something looks like options that were not understood. */
  #open(runs: readonly Run[]): PlainReading {
    const lines = this.#lines;
    this.#refuseLikeOptions(new Set(runs.flatMap(({ items }) => items.map(item => item.line))));
    const list = runs[0];
    if (list) {
      const at = lines[list.items[0]!.line]!;
      this.find('list', at, at.text, `a list of ${list.items.length} that was read as part of the question`);
    }
    const question = this.#question(
      lines.map(({ text }) => text),
      list !== undefined && opensWithNumber(list),
    );
    const named = this.#keys.find(({ key }) => key.strength === 'mark');
    if (named) throw refused(named.line, 'a key that names an option, and no options were found');
    this.find('no-options', undefined, '', noOptions);
    return { question, ...this.#report() };
  }

  /** Lettered lines in a row, before line `end`, that no list of options has. */
  #refuseLettered(end: number): void {
    let before: readonly Mark[] = [];
    for (const [i, line] of this.#lines.slice(0, end).entries()) {
      if (line.blank) continue;
      const marks = line.marks.filter(isLetterMark);
      const pair = marks.find(mark => before.some(({ ordinal }) => ordinal === mark.ordinal - 1));
      if (pair) {
        const first = before.find(({ ordinal }) => ordinal === pair.ordinal - 1)!;
        throw refused(
          line,
          first.ordinal === 1
            ? `it has another style than the line before it (${first.shown})`
            : `the options begin with ${first.shown}, and not with the first`,
        );
      }
      before = i > 0 ? marks : [];
    }
  }

  /** `listed` are the lines of lists that are part of the question. */
  #refuseLikeOptions(listed: ReadonlySet<number>): void {
    this.#refuseLettered(this.#lines.length);
    for (const [i, line] of this.#lines.entries()) {
      if (
        i > 0 &&
        line.marks.some(mark => isLetterMark(mark) && mark.ordinal === 1 && /^(?:\.|\)|\(\)|\[\])$/.test(mark.frame)) &&
        this.#asks.at(-1)! === this.#asks[i + 1]! &&
        !line.asks
      )
        throw refused(line, 'Expected 2 to 26 options, got 1');
    }
    for (const [i, line] of this.#lines.entries()) {
      const bullet = i > 0 && !listed.has(i) && line.marks.some(({ ordinal }) => ordinal === 0);
      if (bullet && this.#asks[i]! > 0)
        throw refused(line, 'is it an option? A question has 2 to 26, each behind a mark of one style');
    }
    let last: string | undefined;
    for (const [i, line] of this.#lines.entries()) {
      if (line.blank) continue;
      const start = line.text.trimStart().slice(0, 12).normalize('NFKC');
      if (i > 1 && last !== undefined && !listed.has(i) && follows(last, start))
        throw refused(line, 'it and the line before it look like options, in a style that is not known');
      if (!listed.has(i) && unknownInside.test(line.folded.slice(0, 2000)))
        throw refused(line, 'it may hold several options, in a style that is not known inside a line');
      last = i > 0 ? start : undefined;
    }
    const [a, b] = [this.#lines.find(({ quoted }) => quoted), this.#lines.filter(({ quoted }) => quoted).length];
    if (a && b > 1) throw refused(a, 'some lines begin with `>` and others do not');
  }
}

/** What people write behind the right option, and behind a wrong one. */
const rightEnding =
  /(?:[✓✔✅☑]\ufe0f?|\*correct\*|(?<=\S)\*{1,2}|[([](?:correct(?:\s{1,3}answer)?|right(?:\s{1,3}answer)?|richtig(?:e\s{1,3}antwort)?|correct[ae]|corrett[oa]|corret[oa]|juste|정답|正确|正解)[)\]]|(?:<-{1,9}|←|-{2,9}>?)\s{0,3}(?:correct|right|answer|richtig)(?:\s{1,3}answer)?)[.\s]{0,3}$/iu;
const wrongEnding = /(?:[✗✘❌]\ufe0f?|[([](?:incorrect|wrong|falsch)[)\]])[.\s]{0,3}$/iu;

/** What matches at the end of a text, of which only the last 80 characters are looked at. */
function ending(text: string, pattern: RegExp): string {
  return pattern.exec(text.slice(-80))?.[0] ?? '';
}

/** Whether two lines begin alike, with A and B or 1 and 2 between signs, or with one sign that is seldom in a text. */
function follows(first: string, second: string): boolean {
  const begins = /^([^\p{L}\p{N}\s]{0,3})([A1])([^\p{L}\p{N}\s]{0,2})(?![\p{L}\p{N}])/iu;
  const [a, b] = [
    begins.exec(first),
    begins.exec(second.replace(/[B2]/i, c => (c === '2' ? '1' : c === 'b' ? 'a' : 'A'))),
  ];
  if (a && b && first !== second && /[B2]/i.test(second))
    return a[1] === b[1] && a[2] === b[2] && a[3] === b[3] && a[1]! + a[3] !== '';
  const sign = /^[~»›→⇒†‡§¶#%&@✦✧◘◙◊](?=\s)/u.exec(first)?.[0];
  return sign !== undefined && second.startsWith(sign);
}

/** `A.x B.y`, `A- x B- y` at the beginning of a line or behind a question. */
const unknownInside =
  /(?:^|[?:]\s{0,3})(?:A([.\-/])\S?[^\n]{1,200}?[\s;,]B\1|a([.\-/])\S?[^\n]{1,200}?[\s;,]b\2|1([-/])\s[^\n]{1,200}?[\s;,]2\3\s)/u;

/** Whether a key at the end of a line stands apart from the words before it: in brackets or behind a gap. */
function standsApart(text: string, at: number): boolean {
  return /^[([]/.test(text.slice(at)) || /(?:[([][*_]*|\s{2}|\t)$/.test(text.slice(0, at));
}

/** Whether a line in a question says something: neither key, footer, rule nor heading of options. */
function isText(line: Line): boolean {
  const key = line.key?.strength === 'mark' || line.key?.strength === 'slot';
  return !line.blank && !line.rule && !line.footer && !key && !optionsHeading(line.folded);
}

/** An option inside a sentence ends with what joins it to the next. */
const joinsOn = /(?:[,;，；、]|\s(?:and|or|und|oder|et|ou|y|o|e|og|en|of))$/iu;

const references =
  /^(?:both|only|all\s+of|either|nur|beide|solo|sólo|seulement|apenas|somente)?\s*(?:options?|answers?|statements?)?\s*[([]?(?:\d|[①-⑩])[)\]]?(?:\s*(?:[,&+、]|and|or|y|o|e|et|ou|und|oder|및|和|与|と)\s*[([]?(?:\d|[①-⑩])[)\]]?)+(?:\s+(?:\p{L}+\s*){0,3})?\.?$/iu;

/** Whether a line is indented from the line of its option: by a tab or by more than the blank that a copy may leave. */
function isFurther({ text, indent }: Line, { indent: own }: Line): boolean {
  return indent > own + 1 || (indent > own && text[own] === '\t');
}

/** Whether a mark is a letter that stands before little else than options. */
function isLetterMark({ sequence, frame }: Mark): boolean {
  return isLettered(sequence) && !/^(?:alone|[-=,/>])$/.test(frame);
}

function startsAs(line: Line, run: Run): boolean {
  return line.marks.some(({ style }) => style === run.style);
}

/** Whether the first line of the text is the first of a numbered list. */
function opensWithNumber({ items, sequence }: Run): boolean {
  return items[0]!.line === 0 && sequence === '1' && items[0]!.mark.start === 0;
}

function startsLine(line: Line, item: Item): boolean {
  return item.mark.start <= line.indent;
}

/** A mark of options that a line begins with, but none that words begin with too. */
function otherMark(line: Line, run: Run) {
  return line.marks.find(
    mark => mark.style === run.style || !/^(?:bare|alone|tab|[-=,/>:|·]|word.*)$/.test(mark.frame),
  );
}

function isEmpty(texts: readonly string[], current: Item): boolean {
  return texts[current.ordinal - 1] === '';
}

/** Whether a line is nothing but the name of an option: `B`, `(c)`, `③`. */
function namesOption(line: Line): boolean {
  return /^[([]?(?:[A-Za-z]|\d{1,2}|[①-⑳])[)\].]?$/u.test(line.folded.trim());
}

/** A prefix without its box or tick, and whether these say that the option is right. */
function signOf(prefix: string): { right: boolean; rest: string } {
  const box = /\[[^\]]?\]|\([^)]?\)|[☐☑☒✓✔✅⬜]/u.exec(prefix)?.[0] ?? '';
  return { right: /[xX✓✔✅☑☒*]/u.test(box), rest: prefix.replace(box, '') };
}

function isBold(text: string): boolean {
  return /^(\*\*|__)(?!\s)[^*_]+\1$/.test(text);
}

function unemphasised(text: string): string {
  const sign = /^(?:\*\*|__)/.exec(text)?.[0];
  if (sign === undefined || text.length < 5 || !text.endsWith(sign)) return text;
  const inner = text.slice(2, -2);
  return inner.includes(sign) ? text : inner.trim();
}

/** Text whose emphasis was opened before its mark. */
function unclosed(text: string, emphasis: string): string {
  return emphasis !== '' && text.endsWith(emphasis) ? text.slice(0, -emphasis.length).trim() : text;
}

/** `A) x; B) y; C) z`: what stands between options of one line belongs to none. */
function withoutSeparators(options: readonly string[]): string[] {
  for (const sign of [';', ',', '；', '，', '、', '|', '/'])
    if (options.slice(0, -1).every(text => text.endsWith(sign)))
      return options.map(text => (text.endsWith(sign) ? text.slice(0, -1).trim() : text));
  return [...options];
}

function plain(text: string): string {
  return text.replace(/\s+/g, ' ').trim().replace(/[.;]$/, '').toLowerCase();
}

function plainStart(text: string, option: string): boolean {
  return plain(text).startsWith(plain(option));
}

function quote(line: Line): string {
  return JSON.stringify(line.text.trim().slice(0, 20));
}

function isBlank(text: string): boolean {
  return text.trim() === '';
}

/** Web pages and the answer formats of quiz programs are not plain text. */
function refuseMarkup(text: string): void {
  const tag = /<\/?(?:p|div|li|ol|ul|td|tr|table|span|html|body|input|label)(?:\s[^<>]{0,300})?>/i.exec(text);
  if (tag)
    throw new MeditronError(
      'ERR_INPUT',
      `Expected plain text or JSON, got a web page's markup (${short(tag[0])}); copy the text as it is shown`,
    );
  if ((text.match(/\{[^{}]{1,2000}\}/g) ?? []).some(part => part.includes('=') && part.includes('~')))
    throw new MeditronError(
      'ERR_INPUT',
      'Expected plain text or JSON, got a quiz format in which `=` marks the right answer; write the options as `A. text`',
    );
}
