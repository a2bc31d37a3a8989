import * as v from 'valibot';
import { MeditronError, optionError } from '../check/errors.js';
import type { Kind } from '../check/kinds.js';
import { checked } from '../check/schema.js';
import { isSealed } from '../check/seal.js';
import { formatNames, protocols, tasks } from '../prompt/format/format.js';
import { labelsOf, type Question } from '../prompt/question/question.js';
import { shuffles } from '../prompt/question/shuffle.js';

export const calibrationSchema = 'meditron.calibration.v1';

const text = v.string();
const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const hash = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/, 'a SHA-256 in lower-case hexadecimal'));
const histogram = v.pipe(v.array(count), v.minLength(3), v.maxLength(257));

const calibration = v.strictObject({
  schema: v.literal(calibrationSchema),
  meditron: text,
  created: v.pipe(text, v.isoTimestamp('a time as 2026-01-31T12:00:00.000Z')),
  model: v.strictObject({ name: text, sha256: hash }),
  questions: v.strictObject({ name: text, files: v.array(v.strictObject({ bytes: count, sha256: hash })) }),
  terms: v.strictObject({
    mode: v.literal('sc-cot'),
    protocol: v.picklist(protocols),
    format: v.picklist(formatNames),
    samples: v.pipe(count, v.minValue(2), v.maxValue(256)),
    temperature: v.number(),
    topP: v.number(),
    topK: count,
    maxTokens: v.nullable(count),
    bos: v.picklist(['auto', 'always', 'never']),
    reask: v.boolean(),
    reading: v.picklist([1, 2]),
    shuffle: v.picklist(shuffles),
    prompt: v.strictObject({
      task: v.picklist(tasks),
      shots: v.exactOptional(count),
      abstainOption: v.exactOptional(v.literal(true)),
    }),
  }),
  groups: v.array(
    v.strictObject({
      kind: v.picklist(['choice', 'boolean']),
      options: v.pipe(count, v.minValue(2), v.maxValue(26)),
      calibrated: histogram,
      measured: v.strictObject({ right: histogram, answers: histogram, first: histogram, second: histogram }),
    }),
  ),
  sha256: hash,
});

/** How votes came out on questions whose right answers are known: what answer sets are made by, and for what they are made. Plain data. */
export type Calibration = v.InferOutput<typeof calibration>;

/** Questions of one kind and number of options. Half of them set how many votes an answer needs; on the others it is measured what that comes to. */
export type CalibrationGroup = Calibration['groups'][number];

/**
 * A calibration, as `meditron eval --calibrate` writes it, that was read back from its file.
 *
 * @throws MeditronError `ERR_INPUT` with the field, what was expected and what came; or that it was changed
 */
export function readCalibration(value: unknown): Calibration {
  const read = checked(calibration, value, 'The calibration');
  if (!isSealed(read))
    throw new MeditronError(
      'ERR_INPUT',
      'The calibration was changed after it was written: its SHA-256 is not that of its content. Calibrate again',
    );
  const { samples } = read.terms;
  const lists = read.groups.flatMap(({ calibrated, measured }) => [calibrated, ...Object.values(measured)]);
  if (lists.some(list => list.length !== samples + 1))
    throw new MeditronError('ERR_INPUT', `The calibration is damaged: expected ${samples + 1} counts in every list`);
  return read;
}

export const calibrationKind: Kind<Calibration> = {
  check(name, value) {
    try {
      return readCalibration(value);
    } catch (error) {
      if (!(error instanceof MeditronError)) throw error;
      throw optionError(name, `a calibration, as readCalibration() gives it (${error.message})`, value);
    }
  },
};

/** What a calibration says of questions like this one; undefined if it was made without any. */
export function groupFor({ groups }: Calibration, question: Question): CalibrationGroup | undefined {
  const options = labelsOf(question).length;
  return groups.find(group => group.kind === question.kind && group.options === options);
}

/** What differs from what a calibration was made with, as an error. */
export function misfit(differences: readonly string[]): MeditronError {
  return new MeditronError(
    'ERR_CALIBRATION',
    `The calibration does not fit: ${differences.join('; ')}. What it promises holds only for what it was made with: ask so, or calibrate anew with \`meditron eval --calibrate\``,
  );
}
