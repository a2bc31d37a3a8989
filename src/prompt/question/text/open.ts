import { noOptions } from '../reading.js';
import { refuseLettered } from './choose.js';
import type { Draft, PlainReading } from './draft.js';
import { isLetterMark } from './marks.js';
import { type Run, refused } from './runs.js';
import { opensWithNumber, questionOf } from './stem.js';

/** No options: an open question, unless something looks like options that were not understood. */
export function openReading(draft: Draft, runs: readonly Run[]): PlainReading {
  const lines = draft.lines;
  refuseLikeOptions(draft, new Set(runs.flatMap(({ items }) => items.map(item => item.line))));
  const list = runs[0];
  if (list) {
    const at = lines[list.items[0]!.line]!;
    draft.find('list', at, at.text, `a list of ${list.items.length} that was read as part of the question`);
  }
  const question = questionOf(
    draft,
    lines.map(({ text }) => text),
    list !== undefined && opensWithNumber(list),
  );
  const named = draft.keys.find(({ key }) => key.strength === 'mark');
  if (named) throw refused(named.line, 'a key that names an option, and no options were found');
  draft.find('no-options', undefined, '', noOptions);
  return { question, ...draft.report() };
}

/** `listed` are the lines of lists that are part of the question. */
function refuseLikeOptions(draft: Draft, listed: ReadonlySet<number>): void {
  refuseLettered(draft, draft.lines.length);
  for (const [i, line] of draft.lines.entries()) {
    if (
      i > 0 &&
      line.marks.some(mark => isLetterMark(mark) && mark.ordinal === 1 && /^(?:\.|\)|\(\)|\[\])$/.test(mark.frame)) &&
      draft.asks.at(-1)! === draft.asks[i + 1]! &&
      !line.asks
    )
      throw refused(line, 'Expected 2 to 26 options, got 1');
  }
  for (const [i, line] of draft.lines.entries()) {
    const bullet = i > 0 && !listed.has(i) && line.marks.some(({ ordinal }) => ordinal === 0);
    if (bullet && draft.asks[i]! > 0)
      throw refused(line, 'is it an option? A question has 2 to 26, each behind a mark of one style');
  }
  let last: string | undefined;
  for (const [i, line] of draft.lines.entries()) {
    if (line.blank) continue;
    const start = line.text.trimStart().slice(0, 12).normalize('NFKC');
    if (i > 1 && last !== undefined && !listed.has(i) && follows(last, start))
      throw refused(line, 'it and the line before it look like options, in a style that is not known');
    if (!listed.has(i) && unknownInside.test(line.folded.slice(0, 2000)))
      throw refused(line, 'it may hold several options, in a style that is not known inside a line');
    last = i > 0 ? start : undefined;
  }
  const [a, b] = [draft.lines.find(({ quoted }) => quoted), draft.lines.filter(({ quoted }) => quoted).length];
  if (a && b > 1) throw refused(a, 'some lines begin with `>` and others do not');
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
