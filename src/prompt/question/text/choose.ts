import { letter } from '../question.js';
import type { Draft } from './draft.js';
import { numberedQuestion, optionsHeading } from './keys.js';
import { isFurther, type Line } from './lines.js';
import { isLettered, isLetterMark, type Mark } from './marks.js';
import { closes, plain, type Run, refused, startsAs, startsLine } from './runs.js';

/** The run that is the options, if one is. */
export function chooseOptions(draft: Draft, runs: readonly Run[]): Run | undefined {
  const end = firstClosing(draft, runs);
  const before = runs.filter(run => run.items[0]!.line < end);
  const run = before.at(-1);
  if (!run) return undefined;
  if (isList(draft, run, end)) {
    const asking = run.items.find(item => draft.lines[item.line]!.asks);
    if (asking && startsLine(draft.lines[asking.line]!, asking))
      throw refused(draft.lines[asking.line], 'does it ask the question, or is it part of a list?');
    if (runs.some(other => other.items[0]!.line >= end))
      throw refused(draft.lines[end], 'is it part of the question, or an explanation?');
    if (before.some(other => other !== run && (isLettered(other.sequence) || !isList(draft, other, end))))
      throw refused(draft.lines[run.items[0]!.line], 'a second list in another style than the options before it');
    return undefined;
  }
  const first = draft.lines[run.items[0]!.line]!;
  if (first.quoted) throw refused(first, 'it begins with `>` and other lines do not');
  for (const earlier of before.slice(0, -1)) refuseUnlessList(draft, earlier, run);
  refuseUnlessOptions(draft, run);
  refuseLone(draft, run);
  if (run.items.length > 26)
    throw refused(draft.lines[run.items[26]!.line], `Expected 2 to 26 options, got ${run.items.length}`);
  if (!isLettered(run.sequence) || !startsLine(first, run.items[0]!)) refuseLettered(draft, run.items[0]!.line);
  const bulleted = run.items[0]!.mark.ordinal === 0;
  const mixed = draft.lines.find((line, i) => i < run.items[0]!.line && bulleted && line.key && startsAs(line, run));
  if (mixed) throw refused(mixed, 'is it one more option, or does it say what is right?');
  return run;
}

/** The first line that closes what comes before it, behind a run that can be options. */
function firstClosing(draft: Draft, runs: readonly Run[]): number {
  for (const [i, line] of draft.lines.entries()) {
    if (!closes(line)) continue;
    if (runs.some(run => run.items.at(-1)!.line < i && (isLettered(run.sequence) || asksBefore(draft, run)))) return i;
  }
  return draft.lines.length;
}

/** Whether a run without letters is part of the question: nothing is asked before it, and something behind it. */
function isList(draft: Draft, run: Run, end: number): boolean {
  const [first, last] = [run.items[0]!, run.items.at(-1)!];
  const inText = !startsLine(draft.lines[first.line]!, first);
  const asksAfter = draft.asks[end]! > draft.asks[last.line + 1]! || (inText && last.text.search(/[?？]/) >= 0);
  if (inText) return !introduced(draft, run) && asksAfter;
  return !isLettered(run.sequence) && !asksBefore(draft, run) && asksAfter;
}

function asksBefore(draft: Draft, run: Run): boolean {
  const first = run.items[0]!;
  const line = draft.lines[first.line]!;
  return draft.asks[first.line]! > 0 || /[?？؟]/.test(line.text.slice(0, first.mark.start));
}

/** Whether the words before a run that begins inside a line lead to options. */
function introduced(draft: Draft, run: Run): boolean {
  const first = run.items[0]!;
  const before = draft.lines[first.line]!.folded.slice(0, first.mark.start).trim().slice(-80);
  return (
    /[?:؟][*_)\]\s]*$/.test(before) ||
    (run.items.length >= 3 && /(?:[.…]|_{2,})[*_)\]\s]*$/.test(before)) ||
    optionsHeading(before)
  );
}

/** A list before the options is part of the question only where it cannot be the options of another one. */
function refuseUnlessList(draft: Draft, earlier: Run, run: Run): void {
  const asked = asksBefore(draft, earlier);
  const first = run.items[0]!;
  const between = draft.lines[first.line]!.text.slice(0, first.mark.start);
  const asksBetween = draft.asks[first.line]! > draft.asks[earlier.items.at(-1)!.line + 1]! || /[?？؟]/.test(between);
  const line = draft.lines[first.line];
  const bullets = earlier.items[0]!.mark.ordinal === 0;
  if (asked && asksBetween)
    throw refused(line, 'a second question, or a second list of options, begins here; ask one question at a time');
  if (isLettered(earlier.sequence) && isLettered(run.sequence))
    throw refused(
      line,
      `a second list of options begins here; the first begins on line ${draft.lines[earlier.items[0]!.line]!.number}`,
    );
  const plainList = !asked && asksBetween;
  const statements =
    isLettered(run.sequence) || (!bullets && earlier.sequence !== run.sequence && run.items[0]!.mark.ordinal > 0);
  if (!plainList && (isLettered(earlier.sequence) || earlier.style === run.style || !statements))
    throw refused(
      line,
      `it begins a list in another style than the options from line ${draft.lines[earlier.items[0]!.line]!.number} on`,
    );
  const at = draft.lines[earlier.items[0]!.line]!;
  draft.find('list', at, at.text, `a list of ${earlier.items.length} that was read as part of the question`);
}

/** Bullets and numbers are as often findings or drugs as options: something must ask for options. */
function refuseUnlessOptions(draft: Draft, run: Run): void {
  const first = run.items[0]!;
  const line = draft.lines[first.line]!;
  if (!startsLine(line, first)) {
    if (!introduced(draft, run))
      throw refused(
        line,
        `it may hold options (${first.mark.shown} and ${run.items[1]!.mark.shown}) or only mention them`,
      );
    return;
  }
  if (first.mark.ordinal === 0) {
    const other = run.items.find(item => draft.lines[item.line]!.indent !== line.indent);
    if (other)
      throw refused(draft.lines[other.line], 'is it an option, or part of the one before it? It is indented otherwise');
    const asking = run.items.filter(({ text }) => /[?？؟]/.test(text));
    if (asking.length > 0 && asking.length < run.items.length)
      throw refused(draft.lines[asking[0]!.line], 'is it an option, or part of the question?');
  }
  for (let i = 2; i < run.items.length; i++) {
    const [before, here] = [run.items[i - 1]!, run.items[i]!].map(item => draft.lines[item.line]!);
    if (before!.indent !== line.indent) break;
    if (isFurther(here!, line))
      throw refused(here, 'is it an option, or part of the one before it? It is indented otherwise');
  }
  if (first.mark.ordinal > 0 && run.sequence !== '1') return;
  const before = draft.lines.slice(0, first.line).findLast(({ blank }) => !blank);
  if (!before || asksBefore(draft, run) || optionsHeading(before.folded.trim())) return;
  const title = /:\s*$/.test(before.folded) && before.folded.trim().split(/\s+/).length <= 4;
  if (first.mark.ordinal === 0 || title)
    throw refused(line, 'a list that may be options or part of the case: nothing before it asks a question');
}

/** `A.` or a bullet before the options, with no question behind it, may be a lost option. */
function refuseLone(draft: Draft, run: Run): void {
  const first = run.items[0]!;
  const bulleted = first.mark.ordinal === 0;
  for (let i = 1; i < first.line; i++) {
    const line = draft.lines[i]!;
    if (bulleted && startsAs(line, run) && (draft.asks[i]! > 0 || draft.asks[first.line]! === draft.asks[i + 1]!))
      throw refused(line, 'is it an option? A line that is none stands between it and the others');
    if (bulleted) continue;
    const lone = line.marks.find(mark => mark.style === run.style && mark.ordinal === 1);
    if (lone && !line.key && draft.asks[first.line]! === draft.asks[i + 1]!)
      throw refused(draft.lines[first.line], `Expected option ${letter(1)} next, got something else`);
  }
}

/** Lettered lines in a row, before line `end`, that no list of options has. */
export function refuseLettered(draft: Draft, end: number): void {
  let before: readonly Mark[] = [];
  for (const [i, line] of draft.lines.slice(0, end).entries()) {
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

/** Behind the options there may be an explanation of each, but no other question. */
export function refuseSecondQuestion(draft: Draft, runs: readonly Run[], run: Run, options: readonly string[]): void {
  const last = run.items.at(-1)!.line;
  const second = (line: Line | undefined) =>
    refused(
      line,
      'another question seems to begin here or above; ask one question at a time (`eval --file` takes many)',
    );
  for (let i = last + 1; i < draft.lines.length; i++) {
    const line = draft.lines[i]!;
    if (numberedQuestion(line.folded) || (line.asks && /^\s*\(?\d{1,4}\s*[.)]/.test(line.folded))) throw second(line);
  }
  for (const other of runs) {
    const start = other.items[0]!.line;
    if (start <= last) continue;
    const before = draft.lines.slice(last + 1, start).findLast(({ blank }) => !blank);
    const same = other.items.every(({ text }, i) => options[i] !== undefined && plainStart(text, options[i]));
    const asks = draft.asks[start]! > draft.asks[last + 1]!;
    if (same || (before && closes(before))) continue;
    if (asks || isLettered(other.sequence)) throw second(draft.lines[start]);
  }
}

function plainStart(text: string, option: string): boolean {
  return plain(text).startsWith(plain(option));
}
