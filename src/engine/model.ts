import { MeditronError, optionError } from '../check/errors.js';
import { boolean, checkKeys, object, string } from '../check/options.js';
import type { Device, NativeSpelling } from '../native/addon.js';
import type { Segment } from '../types.js';
import type { Engine } from './engine.js';
import type { LoadedModel, ModelInfo } from './info.js';
import { type BosRule, checkPrompt, checkTokenize, type TokenizeOptions } from './jobs/options.js';
import type { EngineOptions } from './open.js';

export type { ModelInfo } from './info.js';
export type { LoadOptions } from './load.js';
export type { EngineOptions } from './open.js';

/** @internal Text that has been checked, to be tokenized. */
export interface Tokenizing {
  readonly prompt: readonly Segment[];
  readonly bos: BosRule;
  readonly inside: boolean;
}

/** Weights and vocabulary in memory. Engines made from it keep them there: model and engines may be closed in any order. */
export abstract class Model implements LoadedModel, AsyncDisposable {
  /** What the model file says about itself, and what llama.cpp made of it. */
  readonly info: ModelInfo;
  readonly #specials: ReadonlySet<number>;

  /** @internal */
  constructor(info: ModelInfo) {
    this.info = info;
    this.#specials = new Set(info.specials);
  }

  /**
   * Turns text into token ids. A string is text from outside: it never yields special tokens, whatever it spells; nor do segments that
   * are not template. `inside` continues a run of text that has begun before.
   *
   * @throws MeditronError `ERR_OPTION`; `ERR_CONTEXT_FULL` for more than 4 MB of text, or more than `maxTokens` hold; `ERR_CLOSED`; the
   *   signal's reason if it was aborted
   */
  async tokenize(prompt: string | readonly Segment[], options: TokenizeOptions = {}): Promise<Int32Array> {
    const checked = checkPrompt(prompt);
    const { bos, inside, maxTokens, signal } = checkTokenize(options);
    if (checked instanceof Int32Array) return checked;
    signal?.throwIfAborted();
    const segments = typeof checked === 'string' ? [{ text: checked, template: false }] : checked;
    checkLength(segments, this.info, maxTokens);
    return this.tokensOf({ prompt: segments, bos, inside }, signal);
  }

  /** Turns token ids into text. Special tokens are left out, or shown as their text with `special`. */
  async detokenize(tokens: Int32Array, options: { readonly special?: boolean | undefined } = {}): Promise<string> {
    checkTokens('tokens', tokens);
    object('options', options);
    checkKeys('detokenize()', options, ['special']);
    return this.textOf(tokens, boolean('special', options.special ?? false));
  }

  /** The bytes that each token stands for, which may be a part of a character; of a special token those of its name. */
  async spell(tokens: Int32Array): Promise<Uint8Array[]> {
    const { bytes, ends } = await this.spelledOf(checkTokens('tokens', tokens));
    return Array.from(ends, (end, i) => bytes.subarray(i === 0 ? 0 : ends[i - 1], end));
  }

  /**
   * Makes a context with its KV cache and its own threads.
   *
   * @throws MeditronError `ERR_OPTION`; `ERR_MEMORY` if it does not fit, with the numbers; `ERR_LORA`; `ERR_CLOSED`
   */
  abstract createEngine(options?: EngineOptions): Promise<Engine>;

  /** The devices of `info.devices` with the memory they have free now. */
  abstract devices(): Promise<readonly Device[]>;

  /** Frees the weights as soon as no engine needs them. Idempotent. */
  abstract close(): Promise<void>;

  /** The id of the special token that the vocabulary spells `text`; undefined if that is plain text to it. */
  async special(text: string): Promise<number | undefined> {
    const ids = await this.tokenize([{ text, template: true }], { bos: 'never', inside: true });
    return ids.length === 1 && this.#specials.has(ids[0]!) ? ids[0] : undefined;
  }

  /** Token ids of text that stands right behind given tokens, as ` A` behind `The answer is:`. */
  async continuation(after: Int32Array, text: string): Promise<Int32Array> {
    const last = checkTokens('after', after).at(-1);
    string('text', text);
    return this.tokenize(text, { bos: 'never', inside: last !== undefined && !this.#specials.has(last) });
  }

  /** @internal Tokenizes what has been checked. */
  protected abstract tokensOf(work: Tokenizing, signal: AbortSignal | undefined): Promise<Int32Array>;

  /** @internal The text of tokens that have been checked. */
  protected abstract textOf(tokens: Int32Array, special: boolean): Promise<string>;

  /** @internal What tokens that have been checked are shown as. */
  protected abstract spelledOf(tokens: Int32Array): Promise<NativeSpelling>;

  /** `close()`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** Bytes of text beyond which a prompt is refused before it is tokenized. */
const maxPromptBytes = 4 << 20;

/** Refuses text that cannot fit, whatever its tokens will be. */
function checkLength(segments: readonly Segment[], info: ModelInfo, maxTokens: number | undefined): void {
  const bytes = segments.reduce((sum, segment) => sum + Buffer.byteLength(segment.text), 0);
  if (bytes > maxPromptBytes) {
    throw new MeditronError(
      'ERR_CONTEXT_FULL',
      `Expected at most ${maxPromptBytes} bytes of text, got ${bytes}: no model here has a context that long`,
    );
  }
  const least = Math.ceil(bytes / info.longestPiece);
  if (maxTokens !== undefined && least > maxTokens) {
    throw new MeditronError(
      'ERR_CONTEXT_FULL',
      `Expected at most ${maxTokens} tokens, got ${bytes} bytes of text: at least ${least} tokens, as none stands for more than ${info.longestPiece} bytes`,
    );
  }
}

function checkTokens(option: string, tokens: unknown): Int32Array {
  if (tokens instanceof Int32Array) return tokens;
  throw optionError(option, 'an Int32Array of token ids', tokens);
}
