import { MeditronError } from '../../check/errors.js';
import type { Device, NativeModel, NativeSpelling, NativeTokenizing } from '../../native/addon.js';
import { loadAddon } from '../../native/load.js';
import { toMeditronError } from '../errors.js';
import { type LoadedWeights, type LoadOptions, loadWeights, type Placed } from '../load.js';
import { Model, type Tokenizing } from '../model.js';
import { type EngineOptions, openEngine } from '../open.js';
import { whenAborted } from '../signals.js';
import type { DirectEngine } from './engine.js';

/**
 * Loads a model into this process. The file is checked first, so that what llama.cpp would not survive is refused with a reason.
 *
 * @throws MeditronError `ERR_MODEL_FILE`, `ERR_MODEL_FORMAT`, `ERR_MODEL_UNSUPPORTED`, `ERR_MODEL_LOAD`, `ERR_MEMORY`, `ERR_OPTION`,
 *   `ERR_ADDON`; the signal's reason if it was aborted
 */
export async function loadHere(options: LoadOptions, placed?: Placed): Promise<DirectModel> {
  return new DirectModel(await loadWeights(options, placed));
}

/** A model in this process. */
export class DirectModel extends Model {
  readonly #weights: LoadedWeights;
  readonly #native: NativeModel;
  #closed: Promise<void> | undefined;

  constructor(weights: LoadedWeights) {
    super(weights.info);
    this.#weights = weights;
    this.#native = weights.native;
  }

  protected async tokensOf({ prompt, bos, inside }: Tokenizing, signal: AbortSignal | undefined): Promise<Int32Array> {
    const texts = prompt.map(segment => segment.text);
    const templates = prompt.map(segment => segment.template);
    try {
      return await this.#call(() => {
        const rule = ({ auto: 0, always: 1, never: 2 } as const)[bos];
        return untilAborted(this.#native.tokenize(texts, templates, rule, inside), signal);
      });
    } catch (error) {
      throw signal?.aborted ? signal.reason : error;
    }
  }

  protected async textOf(tokens: Int32Array, special: boolean): Promise<string> {
    const bytes = await this.#call(() => this.#native.detokenize(tokens, special));
    return bytes.toString('utf8');
  }

  protected spelledOf(tokens: Int32Array): Promise<NativeSpelling> {
    return this.#call(() => this.#native.spell(tokens));
  }

  createEngine(options: EngineOptions = {}): Promise<DirectEngine> {
    return this.#call(() => openEngine(this, this.#weights, options));
  }

  async devices(): Promise<readonly Device[]> {
    const used = new Set(this.info.devices.map(device => device.name));
    const { addon } = await loadAddon();
    return addon.devices().filter(device => used.has(device.name));
  }

  close(): Promise<void> {
    this.#closed ??= this.#native.close();
    return this.#closed;
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
