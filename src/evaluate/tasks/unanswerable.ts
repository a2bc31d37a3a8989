import { MeditronError } from '../../check/errors.js';
import { normalized } from '../../check/unicode.js';
import { sampleSeed } from '../../random/seeds.js';
import type { Item, TaskSet } from './task.js';

/** Which part of the questions has no right option, and by which draw. */
export interface Unanswerable {
  /** From 0 to 1: how probable it is for each question. */
  readonly fraction: number;
  readonly seed: number;
}

/**
 * The same questions, with the right option taken out of a part of them, so that nothing on offer is right. Which, follows from the seed and a question's own id
 * alone, whatever stands beside it. A question needs a known answer and two other options; the others stay as they are.
 *
 * @throws MeditronError `ERR_INPUT` if no question can be made unanswerable, or none was drawn
 */
export function withUnanswerable(set: TaskSet, { fraction, seed }: Unanswerable): TaskSet {
  const candidates = new Map(set.items.map(item => [item, withoutRight(item)]));
  const possible = [...candidates.values()].filter(item => item !== undefined).length;
  if (possible === 0)
    throw new MeditronError(
      'ERR_INPUT',
      'No question can be made unanswerable: expected some with a known right option and two others',
    );
  const items = set.items.map(item => (drawn(item, seed) < fraction ? (candidates.get(item) ?? item) : item));
  const count = items.filter(item => item.unanswerable).length;
  if (count === 0)
    throw new MeditronError(
      'ERR_INPUT',
      `Of ${possible} questions none was drawn to be made unanswerable: give a larger fraction, more questions or another seed`,
    );
  const note = `${count} of ${items.length} questions had their right option taken out (fraction ${fraction}, seed ${seed}): they have no right answer and count in no accuracy`;
  return { ...set, items, notes: [...set.notes, note] };
}

/** From 0 to 1, even. */
function drawn({ id }: Item, seed: number): number {
  return sampleSeed(seed, 0, `unanswerable ${id.replace(/\s+/g, ' ')}`) / 0xffffffff;
}

function withoutRight(item: Item): Item | undefined {
  const { options, gold, ...rest } = item;
  if (!options || typeof gold !== 'number') return undefined;
  const plain = (text: string) => normalized(text.trim(), 'NFC');
  const right = plain(options[gold]!);
  const others = options.filter(option => plain(option) !== right);
  return others.length < 2 ? undefined : { ...rest, options: others, unanswerable: true };
}
