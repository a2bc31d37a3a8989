import type { Engine } from '../../src/engine/engine.js';
import type { EngineOptions, Model } from '../../src/engine/model.js';
import { loadModel } from '../../src/host/load.js';
import { makeApp } from '../../src/server/app.js';
import { listen } from '../../src/server/listen.js';
import { openaiRoutes } from '../../src/server/openai/routes.js';
import { SinglePool } from '../server/single.js';

export interface Serving extends AsyncDisposable {
  /** As clients call it, with `/v1`. */
  readonly baseURL: string;
  readonly model: string;
  readonly engine: Engine;
  /** What the engine was made from. */
  readonly loaded: Model;
  /** Resolves when no request holds the model any more. */
  idle(): Promise<void>;
}

const models = `${import.meta.dirname}/../../models`;

/** A model behind a socket of this machine, the engine in this process so that its counters can be seen. */
export async function serving(name: 'meditron-mini' | 'stories260K', options: EngineOptions = {}): Promise<Serving> {
  const model = await loadModel({ path: `${models}/${name}.gguf`, gpuLayers: 0 });
  const engine = await model.createEngine({ threads: 1, contextSize: 2048, maxSequences: 4, ...options });
  const pool = new SinglePool(model, engine);
  const app = makeApp({ pool, routes: [openaiRoutes], pageFolder: 'nowhere' });
  const limits = { host: '127.0.0.1', port: 0, maxConnections: 50, patience: 30 };
  const listening = await listen(request => app.fetch(request), limits);
  return {
    baseURL: `${listening.url}/v1`,
    model: name,
    engine,
    loaded: model,
    async idle() {
      while (pool.models[0]!.requests > 0) await new Promise(resolve => setImmediate(resolve));
    },
    async [Symbol.asyncDispose]() {
      await listening.close();
      await pool[Symbol.asyncDispose]();
      await engine.close();
      await model.close();
    },
  };
}

/** A question that the model that ships answers. */
export const question =
  "A 58-year-old woman has pneumonia: respiratory rate 26, systolic pressure 96, no confusion, fever. What is the patient's qSOFA score?\nA. 0\nB. 1\nC. 2\nD. 3";
