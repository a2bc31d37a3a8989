import { MeditronError, optionError } from '../check/errors.js';
import { boolean, checkKeys, object, string } from '../check/options.js';
import type { NativeModel, NativeTokenizing } from '../native/addon.js';
import type { Segment } from '../types.js';
import type { Engine } from './engine.js';
import { toMeditronError } from './errors.js';
import type { LoadedModel, ModelInfo } from './info.js';
import { checkPrompt, checkTokenize, type TokenizeOptions } from './jobs/options.js';
import { type LoadedWeights, type LoadOptions, loadWeights } from './load.js';
import { type EngineOptions, openEngine } from './open.js';
import { whenAborted } from './signals.js';

export type { ModelInfo } from './info.js';
export type { LoadOptions } from './load.js';
export type { EngineOptions } from './open.js';

/** Bytes of text beyond which a prompt is refused before it is tokenized. */
const maxPromptBytes = 4 << 20;

/**
 * Loads a model. The file is checked first, so that what llama.cpp would not survive is refused with a reason.
 *
 * @throws MeditronError `ERR_MODEL_FILE`, `ERR_MODEL_FORMAT`, `ERR_MODEL_UNSUPPORTED`, `ERR_MODEL_LOAD`, `ERR_MEMORY`, `ERR_OPTION`,
 *   `ERR_ADDON`; the signal's reason if it was aborted
 */
export async function loadModel(options: LoadOptions): Promise<Model> {
  return new Model(await loadWeights(options));
}

/** Weights and vocabulary in memory. Engines made from it keep them there: model and engines may be closed in any order. */
export class Model implements LoadedModel, AsyncDisposable {
  readonly info: ModelInfo;
  readonly #weights: LoadedWeights;
  readonly #native: NativeModel;
  readonly #specials: ReadonlySet<number>;
  #closed: Promise<void> | undefined;

  /** @internal */
  constructor(weights: LoadedWeights) {
    this.#weights = weights;
    this.#native = weights.native;
    this.#specials = new Set(weights.info.specials);
    this.info = weights.info;
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
    this.#checkLength(segments, maxTokens);
    const texts = segments.map(segment => segment.text);
    const templates = segments.map(segment => segment.template);
    try {
      return await this.#call(() => {
        const rule = ({ auto: 0, always: 1, never: 2 } as const)[bos];
        return untilAborted(this.#native.tokenize(texts, templates, rule, inside), signal);
      });
    } catch (error) {
      throw signal?.aborted ? signal.reason : error;
    }
  }

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

  /** Turns token ids into text. Special tokens are left out, or shown as their text with `special`. */
  async detokenize(tokens: Int32Array, options: { readonly special?: boolean | undefined } = {}): Promise<string> {
    checkTokens('tokens', tokens);
    object('options', options);
    checkKeys('detokenize()', options, ['special']);
    const special = boolean('special', options.special ?? false);
    const bytes = await this.#call(() => this.#native.detokenize(tokens, special));
    return bytes.toString('utf8');
  }

  /**
   * Makes a context with its KV cache and its own threads.
   *
   * @throws MeditronError `ERR_OPTION`; `ERR_MEMORY` if it does not fit, with the numbers; `ERR_LORA`; `ERR_CLOSED`
   */
  createEngine(options: EngineOptions = {}): Promise<Engine> {
    return this.#call(() => openEngine(this, this.#weights, options));
  }

  /** Frees the weights as soon as no engine needs them. Idempotent. */
  close(): Promise<void> {
    this.#closed ??= this.#native.close();
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #checkLength(segments: readonly Segment[], maxTokens: number | undefined): void {
    const bytes = segments.reduce((sum, segment) => sum + Buffer.byteLength(segment.text), 0);
    if (bytes > maxPromptBytes) {
      throw new MeditronError(
        'ERR_CONTEXT_FULL',
        `Expected at most ${maxPromptBytes} bytes of text, got ${bytes}: no model here has a context that long`,
      );
    }
    const least = Math.ceil(bytes / this.info.longestPiece);
    if (maxTokens !== undefined && least > maxTokens) {
      throw new MeditronError(
        'ERR_CONTEXT_FULL',
        `Expected at most ${maxTokens} tokens, got ${bytes} bytes of text: at least ${least} tokens, as none stands for more than ${this.info.longestPiece} bytes`,
      );
    }
  }

  async #call<T>(work: () => Promise<T>): Promise<T> {
    if (this.#closed) throw new MeditronError('ERR_CLOSED', 'The model is closed');
    try {
      return await work();
    } catch (error) {
      throw toMeditronError(error);
    }
  }
}

/** The tokens, or the signal's reason as soon as it is aborted. */
function untilAborted({ tokens, cancel }: NativeTokenizing, signal: AbortSignal | undefined): Promise<Int32Array> {
  if (!signal) return tokens;
  return new Promise((resolve, reject) => {
    const forget = whenAborted(signal, () => {
      cancel();
      reject(new MeditronError('ERR_ABORTED', 'Tokenizing was aborted'));
    });
    tokens.then(resolve, reject).finally(forget);
  });
}

function checkTokens(option: string, tokens: unknown): Int32Array {
  if (tokens instanceof Int32Array) return tokens;
  throw optionError(option, 'an Int32Array of token ids', tokens);
}
