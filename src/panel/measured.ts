import * as v from 'valibot';
import type { Answer } from '../ask/types.js';
import { optionError } from '../check/errors.js';
import { checked } from '../check/schema.js';
import { modes, protocols } from '../prompt/format/format.js';
import type { Measurement } from './types.js';

const count = v.pipe(v.number(), v.safeInteger('a whole number'), v.minValue(0, 'a number >= 0'));
const share = v.pipe(v.number(), v.minValue(0, 'a number from 0 to 1'), v.maxValue(1, 'a number from 0 to 1'));

/** What a measurement is made of, where it comes from outside. */
export const measurementSchema = v.strictObject({
  sha256: v.array(v.string()),
  title: v.string(),
  created: v.string(),
  run: v.string(),
  mode: v.picklist(modes),
  protocol: v.picklist(protocols),
  samples: count,
  n: count,
  correct: count,
  low: share,
  high: share,
});

/** @throws MeditronError `ERR_OPTION`; `ERR_INPUT` with the place, what was expected and what came */
export function checkMeasured(value: unknown): readonly Measurement[] {
  if (!Array.isArray(value)) throw optionError('measured', 'an array of measurements', value);
  return value.map((each, i) => checked(measurementSchema, each, `measured[${i}]`));
}

/**
 * The measurement of the model that gave an answer, by the hash of its file and in the same mode and protocol: an accuracy says nothing of
 * another way of asking. Of several the one with as many samples, then the latest. Null if there is none, or nobody knows the hash.
 */
export function measurementOf(answer: Answer | null, measured: readonly Measurement[]): Measurement | null {
  const files = answer?.evidence.model.files;
  if (!answer || !files) return null;
  const { mode, protocol, samples } = answer.evidence.asked;
  const hashes = files.map(({ sha256 }) => sha256).join();
  const [best] = measured
    .filter(each => each.sha256.join() === hashes && each.mode === mode && each.protocol === protocol)
    .sort((a, b) => Number(b.samples === samples) - Number(a.samples === samples) || (a.created < b.created ? 1 : -1));
  return best ?? null;
}

/** As `right in 814 of 1,000 questions (95 % interval 79 to 84 of 100): Own questions, SC-CoT, 5 samples, 2026-11-27`. */
export function measuredInWords(measured: Measurement | null): string {
  if (!measured) return 'not measured';
  const { n, correct, low, high, title, run, created } = measured;
  const count = (value: number) => value.toLocaleString('en');
  const bounds = n >= 100 ? ` (95 % interval ${Math.round(100 * low)} to ${Math.round(100 * high)} of 100)` : '';
  return `right in ${count(correct)} of ${count(n)} questions${bounds}: ${title}, ${run}, ${created.slice(0, 10)}`;
}
