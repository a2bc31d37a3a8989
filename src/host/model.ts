import { MeditronError } from '../check/errors.js';
import { engineOptions } from '../check/machine.js';
import { checkOptions } from '../check/table.js';
import type { Engine } from '../engine/engine.js';
import type { ModelInfo } from '../engine/info.js';
import { type EngineOptions, Model, type Tokenizing } from '../engine/model.js';
import type { Device, NativeSpelling } from '../native/addon.js';
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

  protected async tokensOf(work: Tokenizing, signal: AbortSignal | undefined): Promise<Int32Array> {
    this.#checkOpen();
    return this.#host.call('tokenize', work, { signal });
  }

  protected async textOf(tokens: Int32Array, special: boolean): Promise<string> {
    this.#checkOpen();
    return this.#host.call('detokenize', { tokens: tokens.slice(), special });
  }

  protected async spelledOf(tokens: Int32Array): Promise<NativeSpelling> {
    this.#checkOpen();
    return this.#host.call('spell', { tokens: tokens.slice() });
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
