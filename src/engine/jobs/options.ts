import { optionError, wordError } from '../../check/errors.js';
import { array, boolean, checkKeys, integer, object, string } from '../../check/options.js';
import { sampleSeed } from '../../random/seeds.js';
import type { Sampling, Segment } from '../../types.js';
import { Held } from '../held.js';
import { Lease, type LeaseSize } from '../lease.js';
import { checkTogether, completeSampling, type SamplingOptions } from './sampling.js';

/** What a prompt may be given as: plain text, segments (see {@link Segment}), or token ids that are used as they are. */
export type Prompt = string | readonly Segment[] | Int32Array;

/** When the token that begins a text is put before the prompt: `auto` does what the model file says. */
export type BosRule = 'auto' | 'always' | 'never';

/** How `Model.tokenize` cuts a text. */
export interface TokenizeOptions {
  /** Default `auto`. */
  readonly bos?: BosRule | undefined;
  /** The text continues a run of text that has begun before. Default false. */
  readonly inside?: boolean | undefined;
  /** Refuse a text that must have more tokens than this, before it is tokenized. Default: no limit but 4 MB of text. */
  readonly maxTokens?: number | undefined;
  /** When aborted, its reason is thrown at once. */
  readonly signal?: AbortSignal | undefined;
}

/** What `Engine.generate` is asked for. */
export interface GenerateOptions {
  /** What the samples continue. */
  readonly prompt: Prompt;
  /** One element a sample. All samples share one evaluation of the prompt. Default: one greedy sample. */
  readonly samplers?: readonly SamplingOptions[] | undefined;
  /** Master seed; a sampler without a `seed` of its own gets one derived from this and its index. Default 0. */
  readonly seed?: number | undefined;
  /** Most tokens a sample may have. Default 256. */
  readonly maxTokens?: number | undefined;
  /** Texts at which a sample ends; they are not part of it. At most 16, none empty. */
  readonly stop?: readonly string[] | undefined;
  /** Token ids that end a sample, besides the model's own end tokens. At most 64. */
  readonly stopTokens?: readonly number[] | undefined;
  /** Token ids that end a sample instead of the model's own end tokens. At most 64; with none, nothing but length and stops ends it. */
  readonly ends?: readonly number[] | undefined;
  /** When aborted, unfinished samples end as `cancelled` with what there is of them; then the signal's reason is thrown. */
  readonly signal?: AbortSignal | undefined;
  /** Report the log-probability of every sampled token, before any sampler changed it. Default false. */
  readonly logprobs?: boolean | undefined;
  /**
   * Report with every sampled token so many that were the most probable in its place, with their log-probabilities, 0 to 20; and tokens
   * with the text that they make up, as it comes. Default: neither.
   */
  readonly topLogprobs?: number | undefined;
  /** Report the same of every token of the prompt but the first, for one sample. Default false. */
  readonly promptLogprobs?: boolean | undefined;
  /** Default `auto`; `never` when starting from a held sequence. */
  readonly bos?: BosRule | undefined;
  /** Sample past end tokens, as `ends: []` does; for measurements. Default false. */
  readonly ignoreEnd?: boolean | undefined;
  /** Start from what a held sequence has evaluated: the prompt comes after it. */
  readonly from?: Held | undefined;
  /** Take sequences and cells from this lease alone; held sequences go back to it. */
  readonly lease?: Lease | undefined;
  /** Keep every sample's sequence when it ends: its `end` event then carries a {@link Held}, to be released by the caller. */
  readonly hold?: boolean | undefined;
}

/** What `Engine.score` is asked for. */
export interface ScoreOptions {
  /** What the continuations are compared after. */
  readonly prompt: Prompt;
  /** Texts (tokenized as they would be right behind the prompt: see `Model.continuation`) or token ids. At most 256. */
  readonly continuations: readonly (string | Int32Array)[];
  /** Cancels: the promise is rejected with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Default `auto`; `never` when starting from a held sequence. */
  readonly bos?: BosRule | undefined;
  /** Start from what a held sequence has evaluated: the prompt comes after it. */
  readonly from?: Held | undefined;
  /** Take sequences and cells from this lease alone. */
  readonly lease?: Lease | undefined;
}

/** How `Engine.prefix` evaluates a prompt. */
export interface PrefixOptions {
  /** Cancels: the promise is rejected with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Default `auto`; `never` when starting from a held sequence. */
  readonly bos?: BosRule | undefined;
  /** Start from what a held sequence has evaluated: the prompt comes after it. */
  readonly from?: Held | undefined;
  /** Take sequences and cells from this lease alone; the prefix goes back to it. */
  readonly lease?: Lease | undefined;
}

/** A job as the engine runs it: checked, complete, its prompt still in the form it was given. */
export interface Work {
  readonly prompt: Prompt;
  readonly bos: BosRule;
  readonly samplers: readonly Sampling[];
  readonly maxTokens: number;
  readonly stop: readonly string[];
  readonly stopTokens: readonly number[];
  readonly signal: AbortSignal | undefined;
  readonly logprobs: boolean;
  readonly topLogprobs: number | undefined;
  readonly promptLogprobs: boolean;
  /** Undefined: the model's own end tokens. */
  readonly ends: readonly number[] | undefined;
  readonly from: Held | undefined;
  readonly lease: Lease | undefined;
  readonly hold: boolean;
}

const generateKeys = [
  'prompt',
  'samplers',
  'seed',
  'maxTokens',
  'stop',
  'stopTokens',
  'ends',
  'signal',
  'logprobs',
  'topLogprobs',
  'promptLogprobs',
  'bos',
  'ignoreEnd',
  'from',
  'lease',
  'hold',
];

export function checkTokenize(options: TokenizeOptions): TokenizeOptions & { bos: BosRule; inside: boolean } {
  object('options', options);
  checkKeys('tokenize()', options, ['bos', 'inside', 'maxTokens', 'signal']);
  const { maxTokens } = options;
  return {
    bos: checkBos(options.bos, undefined),
    inside: boolean('inside', options.inside ?? false),
    maxTokens: maxTokens === undefined ? undefined : integer('maxTokens', maxTokens, 0, Number.MAX_SAFE_INTEGER),
    signal: checkSignal(options.signal),
  };
}

export function checkGenerate(options: GenerateOptions): Work {
  object('options', options);
  checkKeys('generate()', options, generateKeys);
  const seed = integer('seed', options.seed ?? 0, 0, Number.MAX_SAFE_INTEGER);
  const ends = checkEnds(options);
  const samplers = array('samplers', options.samplers ?? [{}], 1, 256).map((given, index) => {
    const where = `samplers[${index}]`;
    const sampler = object(where, given) as SamplingOptions;
    return completeSampling({ ...sampler, seed: sampler.seed ?? sampleSeed(seed, index) }, where);
  });
  for (const sampling of samplers) checkTogether(sampling, ends);
  const promptLogprobs = boolean('promptLogprobs', options.promptLogprobs ?? false);
  if (promptLogprobs && samplers.length > 1)
    throw optionError('samplers', 'one sampler beside `promptLogprobs`', samplers);
  const topLogprobs =
    options.topLogprobs === undefined ? undefined : integer('topLogprobs', options.topLogprobs, 0, 20);
  return {
    prompt: checkPrompt(options.prompt),
    bos: checkBos(options.bos, options.from),
    samplers,
    maxTokens: integer('maxTokens', options.maxTokens ?? 256, 1, 0x7fffffff),
    stop: checkStop(options.stop ?? []),
    stopTokens: checkTokens('stopTokens', options.stopTokens ?? []),
    ends,
    signal: checkSignal(options.signal),
    logprobs: boolean('logprobs', options.logprobs ?? false) || topLogprobs !== undefined,
    topLogprobs,
    promptLogprobs,
    from: checkFrom(options.from),
    lease: checkLease(options.lease),
    hold: boolean('hold', options.hold ?? false),
  };
}

export function checkScore(options: ScoreOptions): ScoreOptions & { bos: BosRule } {
  object('options', options);
  checkKeys('score()', options, ['prompt', 'continuations', 'signal', 'bos', 'from', 'lease']);
  array('continuations', options.continuations, 1, 256).forEach((value, index) => {
    if (value instanceof Int32Array ? value.length > 0 : typeof value === 'string' && value !== '') return;
    throw optionError(`continuations[${index}]`, 'text or an Int32Array of token ids, not empty', value);
  });
  const { from, lease, signal } = options;
  checkPrompt(options.prompt);
  return { ...options, ...checkStart({ from, lease, signal }), bos: checkBos(options.bos, from) };
}

export function checkPrefix(options: PrefixOptions): PrefixOptions & { bos: BosRule } {
  object('options', options);
  checkKeys('prefix()', options, ['signal', 'bos', 'from', 'lease']);
  return { ...checkStart(options), bos: checkBos(options.bos, options.from) };
}

/** How a prefix is saved. */
export interface SaveOptions {
  /** Cancels, leaving no file: the promise is rejected with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

export function checkSave(held: unknown, path: unknown, options: SaveOptions): SaveOptions {
  if (!(held instanceof Held)) throw optionError('held', 'a prefix, as `prefix()` returns it', held);
  string('path', path);
  object('options', options);
  checkKeys('savePrefix()', options, ['signal']);
  return { signal: checkSignal(options.signal) };
}

/** How a saved prefix is restored. */
export interface RestoreOptions extends Pick<PrefixOptions, 'signal' | 'lease'> {
  /** Refuse the file unless it is of exactly these tokens. Default: it is restored whatever its tokens are. */
  readonly tokens?: Int32Array | undefined;
}

export function checkRestore(path: unknown, options: RestoreOptions): RestoreOptions {
  string('path', path);
  object('options', options);
  checkKeys('restorePrefix()', options, ['signal', 'lease', 'tokens']);
  const { tokens, ...rest } = options;
  if (tokens !== undefined && !(tokens instanceof Int32Array))
    throw optionError('tokens', 'an Int32Array of token ids', tokens);
  return { ...checkStart(rest), tokens: tokens?.slice() };
}

export function checkLeaseSize(size: LeaseSize, options: { readonly signal?: AbortSignal | undefined }): LeaseSize {
  object('size', size);
  checkKeys('lease()', size, ['sequences', 'cells']);
  object('options', options);
  checkKeys('lease()', options, ['signal']);
  checkSignal(options.signal);
  return {
    sequences: integer('sequences', size.sequences, 1, Number.MAX_SAFE_INTEGER),
    cells: integer('cells', size.cells, 1, Number.MAX_SAFE_INTEGER),
  };
}

export function checkPrompt(prompt: unknown): Prompt {
  if (typeof prompt === 'string' || prompt instanceof Int32Array) return prompt;
  if (!Array.isArray(prompt))
    throw optionError('prompt', 'text, an array of segments, or an Int32Array of token ids', prompt);
  prompt.forEach((segment, index) => {
    const where = `prompt[${index}]`;
    object(where, segment);
    checkKeys(where, segment, ['text', 'template']);
    if (typeof segment.text !== 'string') throw optionError(`${where}.text`, 'a string', segment.text);
    boolean(`${where}.template`, segment.template);
  });
  return prompt as readonly Segment[];
}

function checkBos(bos: unknown, from: Held | undefined): BosRule {
  if (from !== undefined && bos !== undefined && bos !== 'never') {
    throw wordError('bos', '"never" for a prompt that continues a held sequence', bos);
  }
  if (bos === undefined) return from ? 'never' : 'auto';
  if (bos !== 'auto' && bos !== 'always' && bos !== 'never') throw wordError('bos', 'one of auto, always, never', bos);
  return bos;
}

function checkEnds({ ends, ignoreEnd }: GenerateOptions): readonly number[] | undefined {
  const none = boolean('ignoreEnd', ignoreEnd ?? false);
  if (none && ends !== undefined)
    throw optionError('ends', 'no `ends` beside `ignoreEnd`, which means that nothing ends a sample', ends);
  return none ? [] : ends === undefined ? undefined : checkTokens('ends', ends);
}

function checkTokens(option: string, tokens: unknown): readonly number[] {
  return array(option, tokens, 0, 64).map((token, index) => integer(`${option}[${index}]`, token, 0, 0x7fffffff));
}

function checkStop(stop: unknown): readonly string[] {
  const list = array('stop', stop, 0, 64);
  list.forEach((text, index) => {
    if (typeof text !== 'string' || text === '')
      throw optionError(`stop[${index}]`, 'a text of at least one character', text);
    if (text.length > 256) throw optionError(`stop[${index}]`, 'a text of at most 256 characters', text);
  });
  return list as readonly string[];
}

type StartOptions = Pick<PrefixOptions, 'from' | 'lease' | 'signal'>;

function checkStart({ from, lease, signal }: StartOptions): StartOptions {
  return { from: checkFrom(from), lease: checkLease(lease), signal: checkSignal(signal) };
}

function checkFrom(from: unknown): Held | undefined {
  if (from === undefined || from instanceof Held) return from;
  throw optionError(
    'from',
    'a held sequence: an `end` event has one if `hold` was set, and `prefix()` returns one',
    from,
  );
}

function checkLease(lease: unknown): Lease | undefined {
  if (lease === undefined || lease instanceof Lease) return lease;
  throw optionError('lease', 'a lease of this engine, as `lease()` returns it', lease);
}

export function checkSignal(signal: unknown): AbortSignal | undefined {
  if (signal === undefined || signal instanceof AbortSignal) return signal;
  throw optionError('signal', 'an AbortSignal', signal);
}
