import { MeditronError } from '../../src/check/errors.js';
import type { Engine } from '../../src/engine/engine.js';
import type { Model } from '../../src/engine/model.js';
import { kernelsAgain } from '../../src/engine/settings.js';
import { modelName } from '../../src/models/names.js';
import { named, unknownModel } from '../../src/server/pool/names.js';
import type { Pool, ServedModel, Use } from '../../src/server/pool/pool.js';
import { Scorer } from '../../src/server/pool/scorer.js';

/** A pool of one engine that the caller has opened, and closes. */
export class SinglePool implements Pool {
  readonly #model: Model;
  readonly #engine: Engine;
  readonly #name: string;
  readonly #scorer: Scorer;
  #requests = 0;

  constructor(model: Model, engine: Engine, name = modelName(model.info.path)) {
    this.#model = model;
    this.#engine = engine;
    this.#name = name;
    this.#scorer = new Scorer(engine, size => {
      const { kvType, flashAttention, loras, threads } = engine.settings;
      const kernels = kernelsAgain(engine.settings.kernels);
      return model.createEngine({ kvType, flashAttention, kernels, loras, threads, ...size });
    });
  }

  get models(): readonly ServedModel[] {
    const { path } = this.#model.info;
    const { counters, takenSequences } = this.#engine;
    const use = {
      keptBytes: 0,
      requests: this.#requests,
      waiting: 0,
      sequences: takenSequences,
      counters,
      loads: 1,
      deaths: 0,
    };
    return [{ name: this.#name, path, state: 'loaded', created: 0, ...use }];
  }

  async use(name: string | undefined, signal: AbortSignal): Promise<Use> {
    signal.throwIfAborted();
    this.find(name);
    this.#requests++;
    let left = false;
    return {
      name: this.#name,
      model: this.#model,
      engine: this.#engine,
      scorer: this.#scorer,
      [Symbol.asyncDispose]: async () => {
        if (!left) this.#requests--;
        left = true;
      },
    };
  }

  find(name: string | undefined): ServedModel {
    const found = name === undefined ? this.models[0] : named(name, this.models);
    if (!found) throw unknownModel(name!, [this.#name]);
    return found;
  }

  async add(): Promise<ServedModel> {
    throw new MeditronError('ERR_OPTION', 'This server answers for one model, and takes no other');
  }

  async unload(): Promise<void> {}

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#scorer.close();
  }
}
