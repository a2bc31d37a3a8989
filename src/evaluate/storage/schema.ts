import * as v from 'valibot';
import { weightings } from '../../ask/options.js';
import { MeditronError } from '../../check/errors.js';
import { checked } from '../../check/schema.js';
import { formatNames, protocols, tasks } from '../../prompt/format/format.js';
import { offered } from '../../prompt/question/abstain.js';
import { labelsOf } from '../../prompt/question/question.js';
import { evaluatedModes } from '../run/options.js';
import { partitions, taskNames } from '../tasks/task.js';
import { questionOfRow, type ResultRow } from './rows.js';
import type { StoredRun } from './types.js';

/**
 * The shape of what a results file holds. Files are edited, merged and damaged: a value that passes here is read without
 * further checks, and one that does not is named with its line and field.
 */

const whole = (min: number, max = Number.MAX_SAFE_INTEGER) => {
  const expected = max === Number.MAX_SAFE_INTEGER ? `an integer >= ${min}` : `an integer from ${min} to ${max}`;
  return v.pipe(v.number(), v.safeInteger(expected), v.minValue(min, expected), v.maxValue(max, expected));
};
const real = (min: number, max: number) => {
  const expected = `a number from ${min} to ${max}`;
  return v.pipe(v.number(), v.finite(expected), v.minValue(min, expected), v.maxValue(max, expected));
};
const positive = v.pipe(v.number(), v.finite('a number >= 0'), v.minValue(0, 'a number >= 0'));
const list = <T extends v.GenericSchema>(schema: T) => v.pipe(v.array(schema), v.readonly());
/** A log-probability in nats; JSON has no infinity, which is stored as null. */
const nats = v.pipe(
  v.nullable(v.pipe(v.number(), v.maxValue(0, 'a log-probability'))),
  v.transform(value => value ?? -Infinity),
);
const byAnswer = <T extends v.GenericSchema>(schema: T) => v.pipe(v.record(v.string(), schema), v.readonly());

const stopRule = v.variant('rule', [
  v.object({ rule: v.literal('none') }),
  v.object({
    rule: v.literal('exact'),
    minVotes: v.exactOptional(whole(1, 256)),
    winnerOpen: v.exactOptional(v.boolean()),
  }),
  v.object({ rule: v.literal('beta'), confidence: v.exactOptional(real(0.5, 1)) }),
  v.object({ rule: v.literal('esc'), window: v.exactOptional(whole(2, 256)) }),
]);

const layout = v.object({
  parallel: whole(1, 256),
  contextSize: whole(1, 1 << 24),
  maxSequences: whole(1, 256),
  batchSize: whole(1, 8192),
  threads: whole(1, 4096),
  kernels: v.exactOptional(v.string()),
  sharedTokens: whole(0, 1 << 24),
});

const storedRun = v.object({
  key: v.string(),
  name: v.string(),
  mode: v.picklist(evaluatedModes),
  protocol: v.picklist(protocols),
  samples: whole(1, 256),
  temperature: real(0, 100),
  topP: real(0, 1),
  topK: whole(0, 0x7fffffff),
  frequencyPenalty: real(-100, 100),
  seed: whole(0),
  maxTokens: v.nullable(whole(1, 0x7fffffff)),
  stop: stopRule,
  weighting: v.picklist(weightings),
  format: v.picklist(formatNames),
  task: v.picklist(tasks),
  bos: v.string(),
  abstainOption: v.exactOptional(v.literal(true)),
  reading: v.exactOptional(v.literal(2)),
  begunThinking: v.exactOptional(v.literal(true)),
  stops: list(v.string()),
  shots: whole(0, 32),
  demonstrations: v.nullable(v.object({ seed: whole(0), note: v.string() })),
  layout: v.nullable(layout),
});

/** The configuration in the header, as `packConfig` writes it. */
export const configSchema = v.pipe(
  v.object({
    kind: v.literal('meditron-evaluation'),
    version: v.literal(1),
    task: v.picklist(taskNames),
    title: v.string(),
    partition: v.picklist(partitions),
    files: list(v.object({ bytes: whole(0), sha256: v.string() })),
    questions: whole(1),
    subject: v.record(v.string(), v.string()),
    subjectOrder: list(v.string()),
    model: v.string(),
    runs: v.record(v.string(), storedRun),
    runOrder: list(v.string()),
    notes: list(v.string()),
    unanswerable: v.exactOptional(real(0, 1)),
  }),
  v.forward(
    v.check(({ subject, subjectOrder }) => isOrderOf(subjectOrder, subject), 'the names in `subject`, each once'),
    ['subjectOrder'],
  ),
  v.forward(
    v.check(({ runs, runOrder }) => isOrderOf(runOrder, runs), 'the keys of `runs`, each once'),
    ['runOrder'],
  ),
  v.forward(
    v.check(({ runs }) => Object.entries(runs).every(([key, run]) => key === run.key), 'runs under their own keys'),
    ['runs'],
  ),
);

function isOrderOf(order: readonly string[], of: object): boolean {
  return (
    order.length === new Set(order).size &&
    order.length === Object.keys(of).length &&
    order.every(n => Object.hasOwn(of, n))
  );
}

const sample = v.object({
  index: whole(0, 255),
  seed: whole(0),
  text: v.string(),
  finish: v.picklist(['end', 'stop', 'length', 'cancelled']),
  tokens: whole(0, 1 << 24),
  logprob: nats,
  answer: v.nullable(v.string()),
  rule: v.string(),
  forced: v.boolean(),
  reask: v.exactOptional(byAnswer(nats)),
  order: v.exactOptional(list(whole(0, 25))),
});

const row = v.object({
  id: v.string(),
  run: v.string(),
  item: v.string(),
  kind: v.picklist(['choice', 'boolean', 'open']),
  question: v.string(),
  options: v.exactOptional(list(v.string())),
  context: v.exactOptional(list(v.string())),
  gold: v.exactOptional(v.string()),
  subject: v.exactOptional(v.string()),
  cluster: v.exactOptional(v.string()),
  unanswerable: v.exactOptional(v.literal(true)),
  samples: list(sample),
  planned: whole(1, 256),
  stoppedBy: v.exactOptional(v.string()),
  scores: v.exactOptional(byAnswer(v.object({ logprob: nats, probability: real(0, 1) }))),
  promptTokens: v.exactOptional(whole(0)),
  maxTokens: v.exactOptional(whole(1)),
  ms: positive,
  latencyMs: positive,
  parallel: whole(1, 1024),
  standIn: v.exactOptional(v.literal('cpu')),
  outside: v.exactOptional(v.boolean()),
  warnings: v.exactOptional(list(v.string())),
  cleaned: v.exactOptional(whole(0)),
  error: v.exactOptional(v.object({ code: v.string(), message: v.string() })),
});

/**
 * Checks rows that were read back: their shape, and that they belong to one of these runs.
 *
 * @throws MeditronError `ERR_INPUT` with `where`, the field, what was expected and what came
 */
export function rowChecker(runs: readonly StoredRun[]): (value: unknown, where: string) => ResultRow {
  const byKey = new Map(runs.map(run => [run.key, run]));
  return (value, where) => {
    const found: ResultRow = checked(row, value, where);
    for (const [field, holds, expected] of rules) {
      if (holds(found, byKey.get(found.run))) continue;
      throw new MeditronError('ERR_INPUT', `${where}: expected \`${field}\` to be ${expected}`);
    }
    return found;
  };
}

type Rule = readonly [field: string, holds: (row: ResultRow, run: StoredRun | undefined) => boolean, expected: string];

/** In an order in which each may rely on those before it. */
const rules: readonly Rule[] = [
  ['run', (_, run) => run !== undefined, 'one of the runs in the header'],
  ['id', ({ id, run, item }) => id === `${run}/${item}`, 'the names of run and item'],
  ['options', isAnswerable, 'two to 26 options in a multiple choice question, and none elsewhere'],
  [
    'kind',
    ({ kind }, run) => (kind === 'open') === (run?.mode === 'free'),
    'one that the mode of its run can be asked',
  ],
  [
    'gold',
    row => row.gold === undefined || labelsOf(questionOfRow(row)).includes(row.gold),
    'one of the answers on offer',
  ],
  ['planned', ({ planned }, run) => planned === run?.samples, 'the samples of its run'],
  ['samples', hasWholeSamples, 'samples with different numbers below `planned`, in orders of the options'],
  [
    'samples',
    (row, run) => row.samples.every(({ reask }) => !reask || isComplete(row, run, reask)),
    'asked again for every answer',
  ],
  ['scores', (row, run) => !row.scores || isComplete(row, run, row.scores), 'a score for every answer on offer'],
  [
    'scores',
    ({ error, scores }, run) => error !== undefined || (run?.mode === 'top-token') === (scores !== undefined),
    'there in mode top-token, and only there',
  ],
];

function isComplete(row: ResultRow, run: StoredRun | undefined, answers: object): boolean {
  const labels = labelsOf(offered(questionOfRow(row), run?.abstainOption));
  return Object.keys(answers).length === labels.length && labels.every(label => label in answers);
}

function isAnswerable({ kind, options }: ResultRow): boolean {
  if (kind !== 'choice') return options === undefined;
  return options !== undefined && options.length >= 2 && options.length <= 26;
}

function hasWholeSamples({ samples, planned, options }: ResultRow): boolean {
  const isOrder = (order: readonly number[]) =>
    order.length === options?.length &&
    order.every(place => place < order.length) &&
    new Set(order).size === order.length;
  return (
    new Set(samples.map(({ index }) => index)).size === samples.length &&
    samples.every(({ index, order }) => index < planned && (order === undefined || isOrder(order)))
  );
}
