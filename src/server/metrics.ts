import { Hono, type MiddlewareHandler } from 'hono';
import { matchedRoutes } from 'hono/route';
import type { Pool } from './pool/pool.js';

/** What has been counted of requests: by route, method and status, never by what was in them. */
export class Metrics {
  readonly #requests = new Map<string, number>();
  readonly #seconds = new Map<string, number>();
  #open = 0;

  /** Counts a request when it has been answered; a stream's head is its answer. */
  readonly count: MiddlewareHandler = async (c, next) => {
    const begun = performance.now();
    this.#open++;
    try {
      await next();
    } finally {
      this.#open--;
      const route = matchedRoutes(c).findLast(({ path }) => !path.endsWith('*'))?.path ?? 'none';
      const labels = `method="${knownMethod(c.req.method)}",route="${route}"`;
      add(this.#requests, `${labels},status="${c.res.status}"`, 1);
      add(this.#seconds, labels, (performance.now() - begun) / 1000);
    }
  };

  /** In the text format of Prometheus, version 0.0.4. */
  text(pool: Pool): string {
    const models = pool.models;
    const label = (name: string) => `model="${name.replace(/[\\"\n]/g, '_')}"`;
    const ofModels = (value: (model: Pool['models'][number]) => number) =>
      models.map(model => [label(model.name), value(model)] as const);
    return [
      family('requests_total', 'counter', 'Requests that were answered.', [...this.#requests]),
      family('request_seconds_total', 'counter', 'Seconds until they were, of streams until they began.', [
        ...this.#seconds,
      ]),
      family('requests_open', 'gauge', 'Requests whose answer has not begun.', [['', this.#open]]),
      family(
        'model_loaded',
        'gauge',
        '1 if the model is in memory.',
        ofModels(({ state }) => (state === 'loaded' ? 1 : 0)),
      ),
      family(
        'model_requests',
        'gauge',
        'Requests that use the model.',
        ofModels(({ requests }) => requests),
      ),
      family(
        'queue_length',
        'gauge',
        'Requests that wait for a place.',
        ofModels(({ waiting }) => waiting),
      ),
      family(
        'sequences_live',
        'gauge',
        'Sequences that are computed.',
        ofModels(({ sequences }) => sequences),
      ),
      family(
        'prompt_tokens_total',
        'counter',
        'Prompt tokens evaluated; a shared prompt counts once.',
        ofModels(({ counters }) => counters.promptTokens),
      ),
      family(
        'sampled_tokens_total',
        'counter',
        'Tokens sampled.',
        ofModels(({ counters }) => counters.sampledTokens),
      ),
      family(
        'steps_total',
        'counter',
        'Batches evaluated.',
        ofModels(({ counters }) => counters.steps),
      ),
      family(
        'model_loads_total',
        'counter',
        'Times the model was loaded.',
        ofModels(({ loads }) => loads),
      ),
      family(
        'engine_deaths_total',
        'counter',
        'Times its process died.',
        ofModels(({ deaths }) => deaths),
      ),
    ].join('');
  }
}

export function metricsRoutes(metrics: Metrics, pool: Pool): Hono {
  return new Hono().get('/metrics', c =>
    c.body(metrics.text(pool), 200, { 'Content-Type': 'text/plain; version=0.0.4; charset=utf-8' }),
  );
}

function family(name: string, type: string, help: string, values: readonly (readonly [string, number])[]): string {
  const lines = values.map(([labels, value]) => `meditron_${name}${labels === '' ? '' : `{${labels}}`} ${value}`);
  return [`# HELP meditron_${name} ${help}`, `# TYPE meditron_${name} ${type}`, ...lines, ''].join('\n');
}

function add(map: Map<string, number>, key: string, more: number): void {
  map.set(key, (map.get(key) ?? 0) + more);
}

/** A method is the client's text: of those that nobody knows there would be a line each. */
function knownMethod(method: string): string {
  return ['GET', 'HEAD', 'POST', 'DELETE', 'PUT', 'PATCH', 'OPTIONS'].includes(method) ? method : 'other';
}
