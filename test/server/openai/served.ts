import type { Engine } from '../../../src/engine/engine.js';
import type { EngineOptions, Model } from '../../../src/engine/model.js';
import { loadModel } from '../../../src/host/load.js';
import { makeApp } from '../../../src/server/app.js';
import { openaiRoutes } from '../../../src/server/openai/routes.js';
import { type Json, stories } from '../meditron/served.js';
import { SinglePool } from '../single.js';

export interface Served extends AsyncDisposable {
  readonly model: Model;
  readonly engine: Engine;
  /** Requests that hold the model. */
  readonly inUse: () => number;
  readonly request: (path: string, body?: unknown, init?: RequestInit) => Promise<Response>;
  readonly post: (path: string, body: object) => Promise<Json>;
  /** The `data:` lines of a stream. */
  readonly stream: (path: string, body: object) => Promise<Json[]>;
}

/** The routes before one engine. */
export async function served(path = stories, options: EngineOptions = {}): Promise<Served> {
  const model = await loadModel({ path, gpuLayers: 0 });
  const engine = await model.createEngine({ threads: 1, contextSize: 1024, maxSequences: 4, ...options });
  const pool = new SinglePool(model, engine);
  const app = makeApp({ pool, routes: [openaiRoutes], pageFolder: 'nowhere' });
  const request = async (to: string, body?: unknown, init: RequestInit = {}) =>
    app.request(to, {
      ...(body !== undefined && {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      }),
      ...init,
    });
  return {
    model,
    engine,
    inUse: () => pool.models[0]!.requests,
    request,
    post: async (to, body) => (await request(to, body)).json(),
    stream: async (to, body) => dataOf(await (await request(to, { ...body, stream: true })).text()),
    async [Symbol.asyncDispose]() {
      await pool[Symbol.asyncDispose]();
      await engine.close();
      await model.close();
    },
  };
}

/** The JSON of the lines of a stream, which ends as OpenAI's do. */
function dataOf(text: string): Json[] {
  const lines = text.split('\n\n').filter(line => line !== '');
  if (lines.pop() !== 'data: [DONE]') throw new Error(`the stream ends otherwise: ${text.slice(-200)}`);
  return lines.map(line => JSON.parse(line.slice('data: '.length)));
}
