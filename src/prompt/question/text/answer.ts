import { letter } from '../question.js';
import type { Draft } from './draft.js';
import type { KeyLine } from './keys.js';
import type { Line } from './lines.js';
import { isLettered, namesIn } from './marks.js';
import { plain, type Run, refused } from './runs.js';

/** The letter that keys and signs agree on. */
export function answerOf(
  draft: Draft,
  options: readonly string[],
  run: Run,
  marked: number | undefined,
): string | undefined {
  let answer = marked;
  for (const { line, key } of draft.keys) {
    const place = placeOf(draft, key, options, run, line);
    if (place === undefined) continue;
    if (answer !== undefined && answer !== place)
      throw refused(line, `it names option ${letter(place)} as right, and another place ${letter(answer)}`);
    answer = place;
  }
  return answer === undefined ? undefined : letter(answer);
}

function placeOf(draft: Draft, key: KeyLine, options: readonly string[], run: Run, line: Line): number | undefined {
  const same = (text: string) => options.findIndex(option => plain(option) === plain(text));
  if (key.marks.length === 0 || key.strength === 'text' || key.strength === 'weak') {
    const place = same(key.value);
    if (place >= 0) return place;
    const named = key.marks.length === 1 ? same(key.rest) : -1;
    return named >= 0 && namesIn(key.marks[0]!).some(([, ordinal]) => ordinal === named + 1) ? named : undefined;
  }
  if (key.marks.length > 1) {
    draft.find('key', line, key.value, 'the key names several options; the model is asked for one');
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
