import { MeditronError } from '../../check/errors.js';
import { integer } from '../../check/options.js';
import { permutation } from '../../random/numpy.js';
import { type ChoiceQuestion, letter } from './question.js';

/** An order of options: at place j stands the original option `order[j]`. */
export type Order = readonly number[];

/**
 * How the samples of one question see its options: all as written; each in an order drawn by its own seed; rotated by one
 * place per sample, which is balanced; or in the bell-ringing order of Medprompt.
 */
export const shuffles = ['none', 'seeded', 'rotate', 'bell'] as const;
export type Shuffle = (typeof shuffles)[number];

/** One order per sample. `seeds` are the samples' own seeds; only `seeded` reads them. */
export function ordersOf(shuffle: Shuffle, options: number, seeds: readonly number[]): readonly Order[] {
  integer('options', options, 2, 26);
  switch (shuffle) {
    case 'none':
      return seeds.map(() => Array.from({ length: options }, (_, i) => i));
    case 'seeded':
      return seeds.map(seed => Array.from(permutation(options, seed)));
    case 'rotate':
      return seeds.map((_, sample) => rotation(options, sample));
    case 'bell':
      return bellOrders(options, seeds.length);
  }
}

/** The order that starts with option `by` and goes on cyclically. */
export function rotation(options: number, by: number): Order {
  return Array.from({ length: options }, (_, i) => (i + by) % options);
}

/**
 * `count` orders as bells are rung (a plain hunt): neighbours change places, from the first place and from the second in
 * turn. After twice as many as there are options they begin anew. Source: Medprompt, arXiv 2311.16452,
 * microsoft/promptbase. Not balanced: prefer `rotate` where every option should stand at every place.
 */
export function bellOrders(options: number, count: number): readonly Order[] {
  const orders: Order[] = [];
  let order = Array.from({ length: options }, (_, i) => i);
  for (let row = 0; row < count; row++) {
    orders.push(order);
    order = [...order];
    // With two bells there is no second pair to change.
    for (let i = options === 2 ? 0 : row % 2; i + 1 < options; i += 2) {
      [order[i], order[i + 1]] = [order[i + 1]!, order[i]!];
    }
  }
  return orders;
}

/** The question with its options, and the letter of its known answer, in another order. */
export function reordered(question: ChoiceQuestion, order: Order): ChoiceQuestion {
  const options = order.map(i => question.options[i]);
  if (order.length !== question.options.length || new Set(order).size !== order.length || options.includes(undefined)) {
    throw new MeditronError(
      'ERR_OPTION',
      `Expected \`order\` to hold each of 0 to ${question.options.length - 1} once, got ${order.join(', ')}`,
    );
  }
  const answer = question.answer === undefined ? {} : { answer: shownLetter(question.answer, order) };
  return { ...question, options: options as string[], ...answer };
}

/** The original letter of the option that was shown under a letter; one behind those in `order` stays where it is. */
export function originalLetter(shown: string, order: Order): string {
  const place = shown.charCodeAt(0) - 65;
  return letter(order[place] ?? place);
}

/** The letter under which an option is shown, by its original letter. */
export function shownLetter(original: string, order: Order): string {
  return letter(order.indexOf(original.charCodeAt(0) - 65));
}
