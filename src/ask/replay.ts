import { MeditronError } from '../check/errors.js';
import { checkKeys, object } from '../check/options.js';
import { loadModel } from '../engine/model.js';
import { modelHash } from '../models/identity.js';
import type { Answer, AskEvent } from './answer.js';
import { askStream } from './ask.js';
import { type Evidence, evidenceSchema } from './evidence.js';
import { type AskOptions, askedAgain } from './options.js';
import type { AskEngine } from './surface.js';

/** Where a replay first differs from its record. */
export type Difference =
  | { readonly where: 'model'; readonly expected: string; readonly got: string }
  | {
      readonly where: 'prompt';
      readonly prompt: number;
      readonly token: number;
      readonly expected: number | null;
      readonly got: number | null;
    }
  /** `token` is the position in the sample; null beyond the end of the shorter one. */
  | {
      readonly where: 'sample';
      readonly sample: number;
      readonly token: number;
      readonly expected: number | null;
      readonly got: number | null;
    }
  | { readonly where: 'answer'; readonly sample: number; readonly expected: string | null; readonly got: string | null }
  | { readonly where: 'score'; readonly answer: string; readonly expected: number; readonly got: number }
  | { readonly where: 'vote'; readonly expected: string; readonly got: string };

export interface Replay {
  readonly same: boolean;
  readonly difference: Difference | null;
  /** The same in words. */
  readonly summary: string;
  /** What is not as it was when the record was made, and can explain a difference: release, kernels, threads, devices. */
  readonly environment: readonly string[];
  /** Null if the model differs, and nothing was run. */
  readonly answer: Answer | null;
}

export interface ReplayOptions {
  /** Where the model is now; default: where it was. */
  readonly modelPath?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onEvent?: ((event: AskEvent) => void) | undefined;
}

/** Log-probabilities are compared with this tolerance; tokens exactly. */
const tolerance = 1e-6;

/**
 * Runs a recorded answer again, on the same model with the same engine settings, and says whether every token and the vote
 * come out the same, or where they first part. Samples that were cut count neither here nor there. Floating point results
 * repeat on the same machine and build; elsewhere a difference need not mean a fault, and `environment` says what changed.
 *
 * @throws MeditronError `ERR_INPUT` if it is no record; what loadModel and {@link askStream} throw
 */
export async function replay(record: unknown, options: ReplayOptions = {}): Promise<Replay> {
  checkKeys('replay()', object('options', options), ['modelPath', 'signal', 'onEvent']);
  const evidence = readEvidence(record);
  const { model: recorded, engine: settings } = evidence;
  const path = options.modelPath ?? recorded.path;
  await using model = await loadModel({
    path,
    gpuLayers: recorded.gpuLayers,
    loadMode: recorded.loadMode,
    signal: options.signal,
  });
  if (recorded.files) {
    const files = await modelHash(model.info, options.signal);
    const [expected, got] = [recorded.files, files].map(list => list.map(file => file.sha256).join(' ')) as [
      string,
      string,
    ];
    if (expected !== got) return differs({ where: 'model', expected, got }, [], null);
  }
  await using engine = await model.createEngine({
    contextSize: settings.contextSize,
    maxSequences: settings.maxSequences,
    batchSize: settings.batchSize,
    threads: settings.threads,
    kvType: settings.kvType,
    flashAttention: settings.flashAttention,
    loras: settings.loras,
    beyondTraining: settings.sequenceSize > (model.info.contextLength ?? 2048),
  });
  return await replayOn(engine, evidence, { signal: options.signal, onEvent: options.onEvent });
}

/** {@link replay} on an engine that is already open, as far as its settings are those of the record. */
export async function replayOn(
  engine: AskEngine,
  record: unknown,
  options: Omit<ReplayOptions, 'modelPath'> = {},
): Promise<Replay> {
  const evidence = readEvidence(record);
  const stream = askStream(engine, evidence.question, { ...optionsOf(evidence), signal: options.signal });
  let answer: Answer;
  for (;;) {
    const { done, value } = await stream.next();
    if (done) {
      answer = value;
      break;
    }
    options.onEvent?.(value);
  }
  const environment = changes(evidence, answer.evidence);
  const difference = firstDifference(evidence, answer.evidence);
  if (difference) return differs(difference, environment, answer);
  const samples = evidence.samples.length;
  const summary = `The same: ${evidence.prompts.length === 1 ? 'the prompt' : 'all prompts'}, every token of ${samples} sample${samples === 1 ? '' : 's'}, and the vote`;
  return { same: true, difference: null, summary, environment, answer };
}

/** A record in the form of the evidence alone, or of a whole answer that holds it. Throws `ERR_INPUT` if it is neither. */
export function readEvidence(record: unknown): Evidence {
  const value = typeof record === 'object' && record !== null && 'evidence' in record ? record.evidence : record;
  const evidence = value as Partial<Evidence> | null;
  if (typeof evidence !== 'object' || evidence === null || evidence.schema !== evidenceSchema) {
    throw new MeditronError(
      'ERR_INPUT',
      `Expected a record of schema ${evidenceSchema}, as \`meditron ask --record\` or \`--json\` writes it`,
    );
  }
  for (const key of [
    'model',
    'engine',
    'question',
    'asked',
    'prompts',
    'samples',
    'result',
    'machine',
    'plan',
  ] as const) {
    if (typeof evidence[key] === 'object' && evidence[key] !== null) continue;
    throw new MeditronError('ERR_INPUT', `The record is damaged: it has no \`${key}\``);
  }
  return evidence as Evidence;
}

/** Without the deadline: what was cut by the clock then may finish now. */
function optionsOf({ asked }: Evidence): AskOptions {
  const { deadline: _, samples, temperature, ...rest } = askedAgain({ ...asked });
  const once = asked.mode === 'top-token';
  return { ...rest, ...(!once && { samples, temperature }), hash: false };
}

function firstDifference(expected: Evidence, got: Evidence): Difference | undefined {
  for (const [i, prompt] of expected.prompts.entries()) {
    const at = partAt(prompt.tokens, got.prompts[i]?.tokens ?? []);
    if (at) return { where: 'prompt', prompt: i, ...at };
  }
  const interrupted = ['deadline', 'aborted', 'overflow'].includes(expected.result.stoppedBy);
  let cutShort = interrupted;
  for (const sample of expected.samples) {
    const other = got.samples.find(({ index }) => index === sample.index);
    const at = partAt(sample.tokens, other?.tokens ?? []);
    if (at) return { where: 'sample', sample: sample.index, ...at };
    // The time was up before this chain could be asked again.
    const unasked = sample.answer === null && other!.forced && (interrupted || expected.asked.deadline !== null);
    cutShort ||= unasked;
    if (sample.answer !== other!.answer && !unasked)
      return { where: 'answer', sample: sample.index, expected: sample.answer, got: other!.answer };
  }
  for (const [answer, score] of Object.entries(expected.result.scores ?? {})) {
    const other = got.result.scores?.[answer] ?? Number.NaN;
    if (!(Math.abs(score - other) <= tolerance)) return { where: 'score', answer, expected: score, got: other };
  }
  // A vote that was closed from outside had samples missing which now run: their finished ones have been compared.
  if (cutShort) return undefined;
  const [a, b] = [expected, got].map(({ result: { answer, decision, votes, stoppedBy } }) =>
    JSON.stringify({ answer, decision, votes, stoppedBy }),
  ) as [string, string];
  return a === b ? undefined : { where: 'vote', expected: a, got: b };
}

function partAt(
  expected: readonly number[],
  got: readonly number[],
): { token: number; expected: number | null; got: number | null } | undefined {
  const length = Math.max(expected.length, got.length);
  for (let token = 0; token < length; token++) {
    if (expected[token] !== got[token]) return { token, expected: expected[token] ?? null, got: got[token] ?? null };
  }
  return undefined;
}

function differs(difference: Difference, environment: readonly string[], answer: Answer | null): Replay {
  return { same: false, difference, summary: inWords(difference), environment, answer };
}

function inWords(difference: Difference): string {
  switch (difference.where) {
    case 'model':
      return `Another model file: the record was made with SHA-256 ${difference.expected}, this one has ${difference.got}. Nothing was run`;
    case 'prompt':
      return `Prompt ${difference.prompt} differs from token ${difference.token} on: ${difference.expected ?? 'the end'} then, ${difference.got ?? 'the end'} now`;
    case 'sample':
      return `Sample ${difference.sample} differs from token ${difference.token} on: ${difference.expected ?? 'the end'} then, ${difference.got ?? 'the end'} now`;
    case 'answer':
      return `Sample ${difference.sample} has the same tokens and was read as ${difference.expected ?? 'no answer'} then, as ${difference.got ?? 'no answer'} now`;
    case 'score':
      return `The log-probability of ${difference.answer} was ${difference.expected} then and is ${difference.got} now`;
    case 'vote':
      return `The samples are the same, the vote is not: ${difference.expected} then, ${difference.got} now`;
  }
}

function changes(then: Evidence, now: Evidence): string[] {
  const pairs: readonly (readonly [string, unknown, unknown])[] = [
    ['meditron', then.meditron, now.meditron],
    ['llama.cpp', then.llama?.libraries, now.llama?.libraries],
    ['addon', then.llama?.kind, now.llama?.kind],
    ['CPU kernels', then.machine.cpuVariant, now.machine.cpuVariant],
    [
      'devices',
      then.machine.devices.map(d => d.description).join(', '),
      now.machine.devices.map(d => d.description).join(', '),
    ],
    ['GPU layers', then.model.gpuLayers, now.model.gpuLayers],
    ['load mode', then.model.loadMode, now.model.loadMode],
    ['samples at once', then.plan.waves.join('+'), now.plan.waves.join('+')],
    ...(['threads', 'batchSize', 'contextSize', 'maxSequences', 'kvType', 'flashAttention'] as const).map(
      key => [key, then.engine[key], now.engine[key]] as const,
    ),
  ];
  const changed = pairs.filter(([, a, b]) => a !== b).map(([what, a, b]) => `${what}: ${a} then, ${b} now`);
  if (!then.engine.fresh)
    changed.push('the engine had been in use before the record was made; a replay begins with an empty one');
  if (!then.model.files)
    changed.push('the record has no hash of the model file: nobody can say whether this is the same');
  return changed;
}
