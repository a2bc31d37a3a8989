import { randomBytes } from 'node:crypto';
import { resolve } from 'node:path';
import type { Hono } from 'hono';
import type { EngineOptions, Model } from '../../../src/engine/model.js';
import { type LoadOptions, loadModel } from '../../../src/host/load.js';
import { makeApp } from '../../../src/server/app.js';
import { type MeditronOptions, meditronRoutes } from '../../../src/server/meditron/routes.js';
import { openaiRoutes } from '../../../src/server/openai/routes.js';
import { SinglePool } from '../single.js';

/** The page's key of all servers here. */
export const key = 'the-key-of-the-page';

export const mini = resolve(import.meta.dirname, '..', '..', '..', 'models', 'meditron-mini.gguf');
export const stories = resolve(import.meta.dirname, '..', '..', '..', 'models', 'stories260K.gguf');

/** A question that the model that ships can reason about. */
export const question = {
  kind: 'choice',
  question:
    "A 58-year-old woman has pneumonia: respiratory rate 26, systolic pressure 96, no confusion, fever. What is the patient's qSOFA score?",
  options: ['0', '1', '2', '3'],
} as const;

export const text = `${question.question}\nA. 0\nB. 1\nC. 2\nD. 3\n`;

/** A request of the page. */
export type Send = (method: string, path: string, body?: unknown, more?: RequestMore) => Promise<Response>;

export interface Served extends AsyncDisposable {
  /** Sends a request to a path below `/v1/meditron`. */
  readonly send: Send;
  /** What `/v1/chat/completions` answers. */
  readonly completions: (body: object) => Promise<Json>;
  readonly model: Model;
}

export const sendTo =
  (app: Hono): Send =>
  async (method, path, body, more) =>
    app.request(`/v1/meditron/${path}`, request(method, body, more));

interface RequestMore {
  readonly events?: boolean;
  readonly headers?: Record<string, string>;
  readonly signal?: AbortSignal;
}

/** The routes before one engine. */
export async function served(
  load: Partial<LoadOptions> = {},
  engineOptions: EngineOptions = {},
  options: MeditronOptions = {},
): Promise<Served> {
  const model = await loadModel({ path: mini, gpuLayers: 0, ...load });
  const engine = await model.createEngine({ threads: 1, contextSize: 4096, maxSequences: 8, ...engineOptions });
  const closing: (() => Promise<void>)[] = [];
  const app = makeApp({
    pool: new SinglePool(model, engine),
    pageKey: key,
    routes: [openaiRoutes, parts => meditronRoutes(parts, options)],
    onClose: close => closing.push(close),
  });
  return {
    send: sendTo(app),
    completions: async body => jsonOf(app.request('/v1/chat/completions', request('POST', body))),
    model,
    async [Symbol.asyncDispose]() {
      await Promise.all(closing.map(close => close()));
      await engine.close();
      await model.close();
    },
  };
}

/** With the page's key. */
function request(
  method: string,
  body?: unknown,
  { events = false, headers = {}, signal }: RequestMore = {},
): RequestInit {
  return {
    method,
    headers: {
      Authorization: `Bearer ${key}`,
      ...(body !== undefined && { 'Content-Type': 'application/json' }),
      ...(events && { Accept: 'text/event-stream' }),
      ...headers,
    },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    ...(signal && { signal }),
  };
}

// biome-ignore lint/suspicious/noExplicitAny: what a route sends is what is tested
export type Json = any;

export interface Sent {
  readonly id: number | undefined;
  readonly event: Json;
}

/** The events of a response as they come. Leaving the loop leaves the server. */
export async function* eventsOf(response: Response): AsyncGenerator<Sent, void, void> {
  const decoder = new TextDecoder();
  const reader = response.body!.getReader();
  let rest = '';
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      const blocks = `${rest}${decoder.decode(value, { stream: true })}`.split('\n\n');
      rest = blocks.pop()!;
      for (const block of blocks) {
        const data = /^data: (.*)$/m.exec(block)?.[1];
        const id = /^id: (.*)$/m.exec(block)?.[1];
        if (data !== undefined) yield { id: id === undefined ? undefined : Number(id), event: JSON.parse(data) };
      }
    }
  } finally {
    await reader.cancel();
  }
}

export async function allOf(response: Response | Promise<Response>): Promise<Sent[]> {
  const all: Sent[] = [];
  for await (const sent of eventsOf(await response)) all.push(sent);
  return all;
}

/** An id that nobody can guess. */
export const newId = (): string => randomBytes(16).toString('hex');

export const jsonOf = async (response: Response | Promise<Response>): Promise<Json> => (await response).json();
