import { uniform } from '../../random/splitmix.js';
import { nearlyNormal, seedFor } from '../../random/xorshift.js';
import { mean } from '../../vote/count/arithmetic.js';
import { planWaves } from '../../vote/count/stopping.js';
import { type Ballot, settled } from '../../vote/count/tally.js';

/** Seconds of a step, measured for some numbers of samples in it. */
export type StepTimes = ReadonlyMap<number, number>;

/** Below this part of its time a change from the usual width is not worth the cells that it takes. */
const leastGain = 0.03;

/** The numbers of samples in a step that have to be measured for a decision: of one, and of as many as may run at once. */
export function widthsToMeasure(samples: number, usual: number): number[] {
  return [1, ...widthsFor(samples, usual)];
}

/**
 * Samples at once with which a question of so many is expected to be answered first; `usual` unless another of those that were
 * measured gains enough. The same whatever the rule by which a vote is stopped.
 */
export function fastestWidth(times: StepTimes, samples: number, usual: number): number {
  const before = expectedSteps(times, samples, usual);
  let best = { width: usual, seconds: before * (1 - leastGain) };
  for (const width of widthsFor(samples, usual)) {
    if (!times.has(width)) continue;
    const seconds = expectedSteps(times, samples, width);
    if (seconds < best.seconds) best = { width, seconds };
  }
  return best.width;
}

/**
 * Seconds, a token of a chain, until a question is expected to be decided: samples run in waves of `width`, are cancelled when nothing can
 * change the winner, and a step takes the longer the more of them still run. Chains differ in length, and questions in how far
 * chains agree; nobody knows them before, so they are drawn, the same for every width.
 */
export function expectedSteps(times: StepTimes, samples: number, width: number): number {
  return mean(questionsOf(samples).map(question => secondsOf(question, times, width)));
}

/** Seconds of a step: between numbers of samples that were measured, and beyond the last, on straight lines. */
export function stepSeconds(times: StepTimes, samples: number): number {
  const exact = times.get(samples);
  if (exact !== undefined) return exact;
  const known = [...times].sort(([a], [b]) => a - b);
  const above = known.findIndex(([at]) => at > samples);
  const last = above > 0 ? above : known.length - 1;
  const [[from, least], [to, most]] = [known[last - 1] ?? [0, 0], known[last]!] as const;
  return least + ((most - least) * (samples - from)) / (to - from);
}

/** The numbers among which is chosen: the usual one, which llama.cpp's repacked kernels take in one pass over the weights, twice that, and all. */
export function widthsFor(samples: number, usual: number): number[] {
  return [...new Set([usual, 2 * usual, samples])].filter(width => width <= samples).sort((a, b) => a - b);
}

/** What one question's chains come to. */
interface Drawn {
  /** Of each chain, in parts of the mean. */
  readonly lengths: readonly number[];
  readonly answers: readonly string[];
}

/** How probable each of four answers is, where a model knows the answer, mostly knows it, and guesses. */
const cases = [
  [0.85, 0.1, 0.03, 0.02],
  [0.6, 0.25, 0.1, 0.05],
  [0.4, 0.35, 0.15, 0.1],
] as const;
/** Of the lengths of a question's chains: their standard deviation to their mean, and the least. */
const lengthsVary = 0.3;
const leastLength = 0.2;
const questionsOfCase = 100;

const drawn = new Map<number, readonly Drawn[]>();

function questionsOf(samples: number): readonly Drawn[] {
  const known = drawn.get(samples);
  if (known) return known;
  const length = nearlyNormal(seedFor(samples, 'lengths'));
  const part = uniform(seedFor(samples, 'answers'));
  const questions = cases.flatMap(chances =>
    Array.from({ length: questionsOfCase }, () => ({
      lengths: Array.from({ length: samples }, () => Math.max(leastLength, 1 + lengthsVary * length())),
      answers: Array.from({ length: samples }, () => answerAt(part(), chances)),
    })),
  );
  drawn.set(samples, questions);
  return questions;
}

function answerAt(part: number, chances: readonly number[]): string {
  let left = part;
  const at = chances.findIndex(chance => {
    left -= chance;
    return left < 0;
  });
  return String(at);
}

function secondsOf({ lengths, answers }: Drawn, times: StepTimes, width: number): number {
  const samples = lengths.length;
  const ballots: Ballot[] = [];
  let seconds = 0;
  let first = 0;
  for (const count of planWaves(samples, width)) {
    const wave = Array.from({ length: count }, (_, i) => first + i).sort((a, b) => lengths[a]! - lengths[b]!);
    let length = 0;
    for (const [ended, index] of wave.entries()) {
      seconds += (lengths[index]! - length) * stepSeconds(times, count - ended);
      length = lengths[index]!;
      ballots.push({ index, answer: answers[index] });
      if (settled(ballots, samples)) return seconds;
    }
    first += count;
  }
  return seconds;
}
