import { MeditronError } from '../check/errors.js';
import { engineOptions } from '../check/machine.js';
import { boolean, checkKeys, object } from '../check/options.js';
import { checkOptions } from '../check/table.js';
import type { Engine } from '../engine/engine.js';
import type { ModelInfo } from '../engine/info.js';
import { checkPrompt, checkTokenize, type TokenizeOptions } from '../engine/jobs/options.js';
import { checkLength, checkTokens, type EngineOptions, Model } from '../engine/model.js';
import type { Device } from '../native/addon.js';
import type { Segment } from '../types.js';
import { HostEngine } from './engine.js';
import type { Host } from './host.js';

/** A model in another process. */
export class HostModel extends Model {
  readonly #host: Host;
  #closed = false;

  constructor(host: Host, info: ModelInfo) {
    super(info);
    this.#host = host;
  }

  /** Number of the process that runs it; undefined while none does. */
  get pid(): number | undefined {
    return this.#host.pid;
  }

  async tokenize(prompt: string | readonly Segment[], options: TokenizeOptions = {}): Promise<Int32Array> {
    const checked = checkPrompt(prompt);
    const { bos, inside, maxTokens, signal } = checkTokenize(options);
    if (checked instanceof Int32Array) return checked;
    signal?.throwIfAborted();
    const segments = typeof checked === 'string' ? [{ text: checked, template: false }] : checked;
    this.#checkOpen();
    checkLength(segments, this.info, maxTokens);
    return this.#host.call('tokenize', { prompt: segments, bos, inside }, { signal });
  }

  async detokenize(tokens: Int32Array, options: { readonly special?: boolean | undefined } = {}): Promise<string> {
    checkTokens('tokens', tokens);
    object('options', options);
    checkKeys('detokenize()', options, ['special']);
    const special = boolean('special', options.special ?? false);
    this.#checkOpen();
    return this.#host.call('detokenize', { tokens: tokens.slice(), special });
  }

  async createEngine(options: EngineOptions = {}): Promise<Engine> {
    const given = checkOptions('createEngine()', engineOptions, options);
    this.#checkOpen();
    const engine = await HostEngine.open(this.#host, this, given);
    if (!this.#closed) return engine;
    await engine.close();
    throw new MeditronError('ERR_CLOSED', 'The model is closed');
  }

  async devices(): Promise<readonly Device[]> {
    this.#checkOpen();
    return this.#host.call('devices', {});
  }

  close(): Promise<void> {
    this.#closed = true;
    return this.#host.close();
  }

  #checkOpen(): void {
    if (this.#closed) throw new MeditronError('ERR_CLOSED', 'The model is closed');
  }
}
