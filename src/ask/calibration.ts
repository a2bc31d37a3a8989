import * as v from 'valibot';
import { MeditronError, optionError } from '../check/errors.js';
import type { Kind } from '../check/kinds.js';
import { checked } from '../check/schema.js';
import { isSealed } from '../check/seal.js';
import { type FormatName, formatNames, type Protocol, protocols, type Task, tasks } from '../prompt/format/format.js';
import { labelsOf, type Question } from '../prompt/question/question.js';
import { type Shuffle, shuffles } from '../prompt/question/shuffle.js';
import type { ReadingRules } from '../vote/read/answer.js';

export const calibrationSchema = 'meditron.calibration.v1';

/** How votes came out on questions whose right answers are known: what answer sets are made by, and for what they are made. Plain data. */
export interface Calibration {
  /** Which fields it has. */
  readonly schema: typeof calibrationSchema;
  /** Version of this package that made it. */
  readonly meditron: string;
  /** When it was made: ISO 8601, UTC. */
  readonly created: string;
  /** The model that was asked. */
  readonly model: {
    /** What it is called. */
    readonly name: string;
    /** SHA-256 of its file, or of the parts' hashes one a line. */
    readonly sha256: string;
  };
  /** The questions. */
  readonly questions: {
    /** What they are called. */
    readonly name: string;
    /** Their files, by content. */
    readonly files: readonly {
      /** Size. */
      readonly bytes: number;
      /** SHA-256. */
      readonly sha256: string;
    }[];
  };
  /** How they were asked: what an ask has to have in common with it. */
  readonly terms: CalibrationTerms;
  /** The votes, apart by the kind of question and its number of options. */
  readonly groups: readonly CalibrationGroup[];
  /** Of all the rest as JSON, the keys of its objects in alphabetical order. */
  readonly sha256: string;
}

/** How the questions of a calibration were asked; every field is an option of `ask()`. */
export interface CalibrationTerms {
  /** Several chains and a vote. */
  readonly mode: 'sc-cot';
  /** Whose wording and reading. */
  readonly protocol: Protocol;
  /** The prompt format. */
  readonly format: FormatName;
  /** Chains of a vote. */
  readonly samples: number;
  /** As in `ask()`. */
  readonly temperature: number;
  /** As in `ask()`. */
  readonly topP: number;
  /** As in `ask()`. */
  readonly topK: number;
  /** Null: what fits. */
  readonly maxTokens: number | null;
  /** As in `ask()`. */
  readonly bos: 'auto' | 'always' | 'never';
  /** Whether chains that named no answer were asked again. */
  readonly reask: boolean;
  /** Which rules read them. */
  readonly reading: ReadingRules;
  /** How options changed places. */
  readonly shuffle: Shuffle;
  /** What decided the prompt. */
  readonly prompt: {
    /** Whose instruction. */
    readonly task: Task;
    /** Worked examples of the format `few-shot`. */
    readonly shots?: number;
    /** Whether "I cannot tell" was offered. */
    readonly abstainOption?: true;
  };
}

/** Questions of one kind and number of options. Half of them set how many votes an answer needs; on the others it is measured what that comes to. */
export interface CalibrationGroup {
  /** With options, or of yes, no and maybe. */
  readonly kind: 'choice' | 'boolean';
  /** Answers on offer. */
  readonly options: number;
  /** Of the one half: how many questions gave their right answer 0 votes, 1 vote, and so on up to all samples. */
  readonly calibrated: readonly number[];
  /** Of the other half. */
  readonly measured: {
    /** Questions by the votes of their right answer. */
    readonly right: readonly number[];
    /** Answers on offer, of all questions together, by their votes. */
    readonly answers: readonly number[];
    /** Questions by the votes of their first answer. */
    readonly first: readonly number[];
    /** Questions by the votes of their second answer. */
    readonly second: readonly number[];
  };
}

const text = v.string();
const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const hash = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/, 'a SHA-256 in lower-case hexadecimal'));
const histogram = v.pipe(v.array(count), v.minLength(3), v.maxLength(257));

const calibration: v.GenericSchema<unknown, Calibration> = v.strictObject({
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
