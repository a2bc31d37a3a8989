import { isDeepStrictEqual } from 'node:util';
import * as v from 'valibot';
import { describe, MeditronError } from '../../check/errors.js';
import { isSealed } from '../../check/seal.js';
import { formatNames, modes, protocols, tasks } from '../../prompt/format/format.js';
import { shuffles } from '../../prompt/question/shuffle.js';
import type { Calibration } from '../calibration.js';
import { weightings } from '../options.js';
import { type Evidence, evidenceSchema } from '../types.js';
import { partialSchema } from './partial.js';

const text = v.string();
const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const positive = v.pipe(v.number(), v.integer(), v.minValue(1));
const flag = v.boolean();
const hash = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/, 'a SHA-256 in lower-case hexadecimal'));
const texts = v.array(text);
const counts = v.array(count);
/** JSON writes what has no probability at all, -Infinity, as null. */
const logprob = v.pipe(
  v.nullable(v.number()),
  v.transform(value => value ?? -Infinity),
);
const byName = <T extends v.GenericSchema>(schema: T) => v.record(text, schema);

const shared = { id: v.exactOptional(text), answer: v.exactOptional(text) };
const boolean = v.strictObject({ kind: v.literal('boolean'), question: text, context: texts, ...shared });
const choice = v.strictObject({
  kind: v.literal('choice'),
  question: text,
  options: texts,
  context: v.exactOptional(texts),
  ...shared,
});
const open = v.strictObject({
  kind: v.literal('open'),
  question: text,
  context: v.exactOptional(texts),
  ...shared,
});
const chat = v.strictObject({
  kind: v.literal('chat'),
  id: v.exactOptional(text),
  messages: v.array(v.strictObject({ role: v.picklist(['system', 'user', 'assistant']), content: text })),
});

const stop = v.variant('rule', [
  v.strictObject({ rule: v.literal('none') }),
  v.strictObject({ rule: v.literal('exact'), minVotes: v.exactOptional(count), winnerOpen: v.exactOptional(flag) }),
  v.strictObject({ rule: v.literal('beta'), confidence: v.exactOptional(v.number()) }),
  v.strictObject({ rule: v.literal('esc'), window: v.exactOptional(count) }),
]);

const asked = v.strictObject({
  mode: v.picklist(modes),
  protocol: v.picklist(protocols),
  samples: positive,
  temperature: v.number(),
  topP: v.number(),
  topK: count,
  frequencyPenalty: v.number(),
  seed: count,
  item: text,
  maxTokens: v.nullable(positive),
  format: v.nullable(v.picklist(formatNames)),
  stop,
  minAgreement: count,
  shuffle: v.picklist(shuffles),
  weighting: v.picklist(weightings),
  debias: v.union([v.picklist(['none', 'permutations', 'contextual']), v.strictObject({ prior: v.array(v.number()) })]),
  reask: flag,
  reading: v.exactOptional(v.literal(2)),
  calibration: v.exactOptional(v.custom<Calibration>(isObject, 'a calibration')),
  coverage: v.exactOptional(v.number()),
  width: v.nullable(positive),
  bos: v.picklist(['auto', 'always', 'never']),
  deadline: v.nullable(v.number()),
  prompt: v.strictObject({
    task: v.exactOptional(v.picklist(tasks)),
    instruction: v.exactOptional(text),
    system: v.exactOptional(text),
    demonstrations: v.exactOptional(
      v.array(
        v.strictObject({
          question: v.variant('kind', [choice, boolean, open]),
          answer: text,
          explanation: v.exactOptional(text),
        }),
      ),
    ),
    shots: v.exactOptional(count),
    items: v.exactOptional(count),
    abstainOption: v.exactOptional(v.literal(true)),
  }),
});

const record: v.GenericSchema<unknown, Evidence> = v.strictObject({
  schema: v.literal(evidenceSchema),
  meditron: text,
  created: v.pipe(text, v.isoTimestamp('a time as 2026-01-31T12:00:00.000Z')),
  model: v.strictObject({
    path: text,
    file: text,
    sizeBytes: count,
    files: v.nullable(v.array(v.strictObject({ path: text, sizeBytes: count, sha256: hash }))),
    sha256: v.nullable(hash),
    name: v.nullable(text),
    architecture: v.nullable(text),
    quantization: text,
    loadMode: v.picklist(['read', 'mmap']),
    gpuLayers: count,
  }),
  machine: v.strictObject({
    platform: text,
    arch: text,
    node: text,
    devices: v.array(v.strictObject({ name: text, description: text, backend: text })),
    cpuVariant: v.nullable(text),
  }),
  llama: v.nullable(
    v.strictObject({ headers: text, libraries: text, ggml: text, kind: v.picklist(['prebuilt', 'source']) }),
  ),
  engine: v.nullable(
    v.strictObject({
      contextSize: count,
      sequenceSize: count,
      batchSize: count,
      maxSequences: count,
      threads: count,
      kvType: v.picklist(['f32', 'f16', 'q8_0']),
      flashAttention: v.picklist(['auto', 'on', 'off']),
      kernels: v.exactOptional(text),
      loras: v.array(v.strictObject({ path: text, scale: v.number() })),
      warnings: texts,
      fresh: flag,
    }),
  ),
  question: v.variant('kind', [choice, boolean, open, chat]),
  questionSha256: hash,
  format: v.strictObject({
    name: text,
    by: v.picklist(['caller', 'hash', 'vocabulary', 'template', 'name']),
    source: text,
  }),
  asked,
  askedSha256: hash,
  plan: v.strictObject({ samples: count, waves: counts, maxTokens: count, promptTokens: v.nullable(count) }),
  seeds: counts,
  prompts: v.array(
    v.strictObject({
      order: v.nullable(counts),
      tokens: v.nullable(counts),
      sha256: v.nullable(hash),
      textSha256: hash,
    }),
  ),
  samples: v.array(
    v.strictObject({
      index: count,
      seed: count,
      text,
      said: v.exactOptional(text),
      thinking: v.exactOptional(text),
      answer: v.nullable(text),
      rule: v.picklist([
        'boxed',
        'cue',
        'cue-bracket',
        'cue-text',
        'line',
        'first-word',
        'authors',
        'none',
        'reask',
        'score',
        'list',
      ]),
      conflict: flag,
      forced: flag,
      finish: v.picklist(['end', 'stop', 'length', 'cancelled']),
      tokens: counts,
      tokenCount: count,
      logprob: v.number(),
      order: v.nullable(counts),
      reask: v.nullable(byName(logprob)),
      list: v.exactOptional(texts),
    }),
  ),
  cost: v.strictObject({ promptTokens: count, sampledTokens: count, milliseconds: count }),
  result: v.strictObject({
    answer: v.nullable(text),
    decision: v.nullable(v.picklist(['agree', 'split', 'abstain'])),
    reason: v.nullable(
      v.picklist([
        'no_answer',
        'too_few',
        'tie',
        'low_agreement',
        'cannot_tell',
        'set_not_single',
        'out_of_scope',
        'overflow',
        'deadline',
        'aborted',
        'failed',
      ]),
    ),
    summary: text,
    votes: byName(count),
    stoppedBy: v.picklist(['none', 'exact', 'beta', 'esc', 'overflow', 'deadline', 'aborted', 'failed']),
    tie: flag,
    scores: v.nullable(byName(v.strictObject({ logprob, probability: v.number(), tokens: counts }))),
    set: v.exactOptional(
      v.nullable(
        v.strictObject({
          answers: texts,
          coverage: v.number(),
          needed: count,
          measured: v.strictObject({
            questions: count,
            held: count,
            interval: v.strictObject({ low: v.number(), high: v.number() }),
            size: v.number(),
          }),
          text,
        }),
      ),
    ),
  }),
  sha256: hash,
});

/**
 * A record in the form of the evidence alone, or of a whole answer that holds it; an answer as `--json` prints it has its
 * samples once. What it says has to be as it was written, to the last bit.
 *
 * @throws MeditronError `ERR_INPUT` with the field, what was expected and what came; or that it was changed
 */
export function readEvidence(value: unknown): Evidence {
  const whole = isObject(value) ? value : {};
  const given = evidenceIn(whole);
  const { schema } = given;
  if (schema === partialSchema)
    throw new MeditronError(
      'ERR_INPUT',
      'The record is part of a vote that was lost with the program: it holds what had been heard, and not what a replay compares (prompts, tokens, seeds). Ask its question again',
    );
  if (schema !== evidenceSchema) {
    const old = typeof schema === 'string' && /^meditron\.evidence\.v\d+$/.test(schema);
    throw new MeditronError(
      'ERR_INPUT',
      old
        ? `The record has schema ${schema}; this release reads ${evidenceSchema}. Records of another schema do not keep what is compared here: ask the question again`
        : `Expected a record of schema ${evidenceSchema}, as \`meditron ask --record\` or \`--json\` writes it`,
    );
  }
  const read = v.safeParse(record, given);
  if (!read.success) throw damaged(read.issues[0]);
  if (!isSealed(given))
    throw new MeditronError(
      'ERR_INPUT',
      'The record was changed after it was written: its SHA-256 is not that of its content. Use an unchanged copy, or ask the question again',
    );
  const { result, plan, samples } = given;
  const said: Readonly<Record<string, unknown>> = { ...(result as Record<string, unknown>), plan, samples };
  const other = alsoSaid.find(name => whole !== given && !isDeepStrictEqual(said[name], whole[name]));
  if (other)
    throw new MeditronError(
      'ERR_INPUT',
      `The record is damaged: \`${other}\` of the answer is not what its evidence says`,
    );
  return read.output;
}

/** Fields of an answer that its evidence has too. */
const alsoSaid = ['answer', 'decision', 'reason', 'summary', 'votes', 'scores', 'plan', 'samples'] as const;

function evidenceIn(whole: Record<string, unknown>): Record<string, unknown> {
  const evidence = 'evidence' in whole ? whole.evidence : whole;
  if (!isObject(evidence)) return {};
  return evidence !== whole && !('samples' in evidence) && 'samples' in whole
    ? { ...evidence, samples: whole.samples }
    : evidence;
}

function damaged(issue: v.BaseIssue<unknown>): MeditronError {
  const path = (issue.path ?? []).map(({ key }) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`)).join('');
  const expected = issue.type === 'regex' || issue.type === 'iso_timestamp' ? issue.message : issue.expected;
  const got = issue.input === undefined ? 'nothing' : describe(issue.input);
  const what = expected === 'never' ? 'no such field' : (expected ?? issue.message);
  return new MeditronError('ERR_INPUT', `The record is damaged: evidence${path}: expected ${what}, got ${got}`);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
