import { MeditronError, optionError } from '../errors.js';
import { array, integer } from '../options.js';
import { softmax } from './weighted.js';

/** An order of options: the number at place j is the original option shown there. Kept in every record. */
export type Order = readonly number[];

/** The K cyclic rotations: over K samples every option stands once at every place. */
export function rotations(options: number): number[][] {
  integer('options', options, 2, 26);
  return Array.from({ length: options }, (_, first) =>
    Array.from({ length: options }, (_, j) => (first + j) % options),
  );
}

/**
 * The first orders of Medprompt (arXiv 2311.16452; microsoft/promptbase): plain hunting of bell ringers, where
 * neighbours change places in pairs. Not balanced: prefer {@link rotations}.
 */
export function bellOrders(options: number, count: number): number[][] {
  integer('options', options, 2, 26);
  integer('count', count, 1, 2 * options);
  const orders = [Array.from({ length: options }, (_, j) => j)];
  while (orders.length < count) {
    const next = [...orders.at(-1)!];
    for (let j = (orders.length - 1) % 2; j + 1 < options; j += 2) [next[j], next[j + 1]] = [next[j + 1]!, next[j]!];
    orders.push(next);
  }
  return orders;
}

/** A random order from a seed, the same on every machine: Fisher and Yates with the generator mulberry32. */
export function shuffledOrder(options: number, seed: number): number[] {
  integer('options', options, 2, 26);
  integer('seed', seed, 0, 0xffffffff);
  const order = Array.from({ length: options }, (_, j) => j);
  const random = mulberry32(seed);
  for (let j = options - 1; j > 0; j--) {
    const other = Math.floor(random() * (j + 1));
    [order[j], order[other]] = [order[other]!, order[j]!];
  }
  return order;
}

/** The original option of a place, for an answer that was given under an order. Throws ERR_OPTION outside the order. */
export function original(place: number, order: Order): number {
  const option = order[place];
  if (option === undefined) throw optionError('place', `a place from 0 to ${order.length - 1}`, place);
  return option;
}

/** The original letter of a letter that was shown under an order: with order 1 2 3 0 the letter A is option B. */
export function originalLetter(letter: string, order: Order, letters: readonly string[]): string {
  const place = letters.indexOf(letter);
  if (place < 0) throw optionError('letter', `one of ${letters.join(', ')}`, letter);
  return letters[original(place, order)]!;
}

/**
 * How much a model favours each place (PriDe, arXiv 2309.03882): softmax over places of the mean log-probability. Each row
 * holds the log-probabilities of the places of one item under one order, and every item must come in all rotations.
 */
export function placePrior(rows: readonly (readonly number[])[]): number[] {
  array('rows', rows, 1, Number.MAX_SAFE_INTEGER);
  return softmax(columns(rows).map(mean));
}

/** Log-probabilities of the places of a new item, less the log of the prior. The highest is the debiased choice. */
export function withoutPrior(logprobs: readonly number[], prior: readonly number[]): number[] {
  sameLength(logprobs, prior);
  return logprobs.map((logprob, j) => logprob - Math.log(prior[j]!));
}

/** The mean probability of each original option over rows of log-probabilities by place, each with its order. */
export function averageOverOrders(rows: readonly (readonly number[])[], orders: readonly Order[]): number[] {
  sameLength(rows, orders);
  const byOption = rows.map((row, i) => {
    sameLength(row, orders[i]!);
    const shares = new Array<number>(row.length);
    for (const [place, logprob] of row.entries()) shares[orders[i]![place]!] = Math.exp(logprob);
    return shares;
  });
  return columns(byOption).map(mean);
}

/** Contextual calibration (Zhao et al. 2021): shares in proportion to p / p of a content-free item. */
export function calibrated(logprobs: readonly number[], contentFree: readonly number[]): number[] {
  sameLength(logprobs, contentFree);
  return softmax(logprobs.map((logprob, j) => logprob - contentFree[j]!));
}

/** The standard deviation (population) of the recall by letter: 0 if the model finds answers equally well at every place. */
export function recallSpread(pairs: readonly { readonly gold: string; readonly answer: string | undefined }[]): number {
  const recalls = [...new Set(pairs.map(p => p.gold))].map(gold => {
    const asked = pairs.filter(p => p.gold === gold);
    return asked.filter(p => p.answer === gold).length / asked.length;
  });
  if (recalls.length === 0) return Number.NaN;
  const center = mean(recalls);
  return Math.sqrt(mean(recalls.map(r => (r - center) ** 2)));
}

function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

function columns(rows: readonly (readonly number[])[]): number[][] {
  for (const row of rows) sameLength(row, rows[0]!);
  return (rows[0] ?? []).map((_, j) => rows.map(row => row[j]!));
}

function mean(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0) / values.length;
}

function sameLength(a: readonly unknown[], b: readonly unknown[]): void {
  if (a.length !== b.length) {
    throw new MeditronError('ERR_OPTION', `Expected lists of equal length, got ${a.length} and ${b.length}`);
  }
}
