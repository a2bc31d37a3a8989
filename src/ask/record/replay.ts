import type { Answerer } from '../../answerer/answerer.js';
import { type AskEngine, answererOf } from '../../answerer/engine.js';
import { checkKeys, object } from '../../check/options.js';
import type { Model } from '../../engine/model.js';
import { kernelsAgain } from '../../engine/settings.js';
import { type LoadOptions, loadModel } from '../../host/load.js';
import { askStream } from '../ask.js';
import { checkAsked } from '../asked.js';
import { chooseFormat } from '../choice.js';
import { classesOf } from '../classes.js';
import { judgedBy } from '../conclude.js';
import { type AskOptions, askedAgain } from '../options.js';
import { outlineOf, scopeFor } from '../plan.js';
import { readerOf } from '../read.js';
import type { Answer, AskEvent, Evidence } from '../types.js';
import { contradiction } from './check.js';
import { firstDifference, interruptionOf, modelDifference, type Terms } from './compare.js';
import { type Difference, inWords } from './difference.js';
import { changes } from './environment.js';
import { readEvidence } from './schema.js';

/** What running a record again came to. */
export interface Replay {
  /** True if everything that was compared is as in the record. */
  readonly same: boolean;
  /** The first difference; null if there is none. */
  readonly difference: Difference | null;
  /** What was found, in one sentence. */
  readonly summary: string;
  /** What is not as it was when the record was made, and can explain a difference: release, kernels, threads, devices. */
  readonly environment: readonly string[];
  /** Null if nothing was run: the model differs, or the record contradicts itself. */
  readonly answer: Answer | null;
}

/** How a record is run again. */
export interface ReplayOptions {
  /** Where the model is now; default: where it was. */
  readonly modelPath?: string | undefined;
  /** Run the model in a process of its own: see `loadModel`. Default false. */
  readonly isolate?: LoadOptions['isolate'];
  /** Cancels: the promise is rejected with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Called with what `askStream` would give, as it happens. */
  readonly onEvent?: ((event: AskEvent) => void) | undefined;
}

/**
 * Runs a recorded answer again, on the same model with the same engine settings, and says whether everything comes out as it
 * is written there: prompts, tokens, texts and how they are read, scores, and the vote. A vote that was closed from outside is
 * derived from the samples that had finished. Floating point results repeat on the same machine and build; elsewhere a
 * difference need not mean a fault, and `environment` says what changed.
 *
 * @throws MeditronError `ERR_INPUT` if it is no record, with the field; what loadModel and {@link askStream} throw
 */
export async function replay(record: unknown, options: ReplayOptions = {}): Promise<Replay> {
  checkKeys('replay()', object('options', options), ['modelPath', 'isolate', 'signal', 'onEvent']);
  const evidence = readEvidence(record);
  const refused = contradicted(evidence);
  if (refused) return refused;
  const { isolate, signal, modelPath: path } = options;
  await using model = await loadModel({
    ...recordedLoad(evidence),
    ...(path !== undefined && { path }),
    isolate,
    signal,
  });
  return await replayWith(model, evidence, options);
}

/** @internal How a record says its model was loaded. */
export function recordedLoad({
  model,
}: Evidence): Required<Pick<LoadOptions, 'path' | 'gpuLayers' | 'loadMode' | 'hash'>> {
  return { path: model.path, gpuLayers: model.gpuLayers, loadMode: model.loadMode, hash: model.files !== null };
}

/** @internal What a replay of a record that contradicts itself comes to, without running anything. */
export function contradicted(evidence: Evidence): Replay | undefined {
  const damage = contradiction(evidence);
  return damage && differs(damage, [], null);
}

type Watching = Pick<ReplayOptions, 'signal' | 'onEvent'>;

/** @internal {@link replay} with a model that is loaded. */
export async function replayWith(model: Model, evidence: Evidence, { signal, onEvent }: Watching): Promise<Replay> {
  const { engine: settings } = evidence;
  await using engine = await model.createEngine(
    settings
      ? {
          contextSize: settings.contextSize,
          maxSequences: settings.maxSequences,
          batchSize: settings.batchSize,
          threads: settings.threads,
          adaptThreads: true,
          kvType: settings.kvType,
          flashAttention: settings.flashAttention,
          kernels: kernelsAgain(settings.kernels),
          loras: settings.loras,
          beyondTraining: settings.sequenceSize > (model.info.contextLength ?? 2048),
        }
      : {},
  );
  return await replayOn(engine, evidence, { signal, onEvent });
}

/** {@link replay} on an engine that is already open, as far as its settings are those of the record. */
export async function replayOn(
  engine: AskEngine | Answerer,
  record: unknown,
  options: Pick<ReplayOptions, 'signal' | 'onEvent'> = {},
): Promise<Replay> {
  const evidence = readEvidence(record);
  const refused = contradicted(evidence);
  if (refused) return refused;
  const answerer = 'fit' in engine ? engine : answererOf(engine);
  const files = evidence.model.files && (await answerer.hash?.(options.signal));
  const other = files && modelDifference(evidence, files);
  if (other) return differs(other, [], null);

  const answer = await again(answerer, evidence, options);
  const now = { ...answer.evidence, format: await formatNow(answerer, evidence, answer.evidence) };
  const environment = changes(evidence, now);
  const difference = firstDifference(evidence, now, await termsOf(answerer, evidence));
  if (difference) return differs(difference, environment, answer);
  return { same: true, difference: null, summary: sameInWords(evidence, answerer), environment, answer };
}

/** A vote that was closed from outside runs to its end: its rule could leave out a sample that had finished then. */
async function again(answerer: Answerer, evidence: Evidence, { signal, onEvent }: Watching): Promise<Answer> {
  const given = { ...optionsOf(evidence), ...(interruptionOf(evidence) && { stop: 'none' as const }), signal };
  const stream = askStream(answerer, evidence.question, given);
  for (;;) {
    const { done, value } = await stream.next();
    if (done) return value;
    onEvent?.(value);
  }
}

/** Without the deadline: what was cut by the clock then may finish now. */
function optionsOf({ asked }: Evidence): AskOptions {
  const { deadline: _, samples, temperature, maxTokens, ...rest } = askedAgain({ ...asked });
  const once = asked.mode === 'top-token';
  // What a calibration leaves open is what fits, then as now.
  const open = asked.calibration?.terms.maxTokens === null;
  return {
    ...rest,
    ...(!once && { samples, temperature }),
    ...(!once && !open && { maxTokens }),
    hash: false,
  };
}

/** The record names its format, and how it was chosen: that is found out anew. */
async function formatNow(answerer: Answerer, record: Evidence, now: Evidence): Promise<Evidence['format']> {
  if (record.format.by === 'caller') return now.format;
  try {
    const { format, choice } = await chooseFormat(answerer.model, undefined);
    return { name: format.name, by: choice!.by, source: choice!.source };
  } catch {
    return now.format; // not known for this model: the record's claim differs
  }
}

/** @internal What the samples of a record are read and judged by. */
export async function termsOf({ model }: Pick<Answerer, 'model'>, evidence: Evidence): Promise<Terms> {
  const asked = checkAsked(evidence.question, optionsOf(evidence));
  const { variants } = await outlineOf(model, asked);
  return {
    judging: { ...asked, labels: classesOf(asked).labels, ...judgedBy(scopeFor(model, asked)) },
    readerOf: index => readerOf(asked, variants.find(({ samples }) => samples.includes(index)) ?? variants[0]!),
  };
}

function differs(difference: Difference, environment: readonly string[], answer: Answer | null): Replay {
  return { same: false, difference, summary: inWords(difference), environment, answer };
}

/** Claims what was compared, and nothing else. */
function sameInWords(record: Evidence, { hash }: Answerer): string {
  const count = record.samples.length;
  const interrupted = interruptionOf(record) !== undefined;
  const prompts = record.prompts.length === 1 ? 'the prompt' : 'all prompts';
  const tokens = record.prompts.every(prompt => prompt.tokens !== null) ? 'token' : 'text';
  const samples = `${interrupted ? 'the ' : ''}${count} sample${count === 1 ? '' : 's'}${interrupted ? ' that had finished' : ''}`;
  const vote = interrupted ? 'the vote over them' : 'the vote';
  const model = record.model.files && hash ? '' : '. The model file was not compared: there is no hash of it';
  return `The same: ${prompts}, every ${tokens} of ${samples}, and ${vote}${model}`;
}
