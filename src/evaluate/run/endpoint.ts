import { MeditronError, wordError } from '../../check/errors.js';
import { EndpointAnswerer } from '../../endpoint/answerer.js';
import { JsonClient } from '../../endpoint/http.js';
import type { Target } from './target.js';

export interface EndpointOptions {
  /** As `http://127.0.0.1:8080/v1`; without a path, `/v1` is meant. */
  readonly url: string;
  /** Default: the only one the server has. */
  readonly model?: string | undefined;
  readonly apiKey?: string | undefined;
  /** Of one request, milliseconds. Default ten minutes. */
  readonly timeoutMs?: number | undefined;
  /** Requests at once. Default 16. */
  readonly concurrency?: number | undefined;
  /** The first pause before a request is tried again. Default 500 ms. */
  readonly retryMs?: number | undefined;
  /** Called with a sentence whenever a request will be tried again. */
  readonly onRetry?: ((message: string) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * A server that speaks OpenAI's protocol, asked with the same prompts and counted by the same votes. With a prompt format the
 * prompt goes to `completions` as text; with the format `jinja`, which is the default, the messages go to `chat/completions`
 * and the server's own template lays them out. A chain that named no answer can be asked again only in the first way.
 * Questions leave this machine: it is never used unless asked for.
 *
 * @throws MeditronError `ERR_OPTION` for an address or key that does not work; `ERR_ENDPOINT` if the server does not answer
 */
export async function endpointTarget(options: EndpointOptions): Promise<Target> {
  const url = addressOf(options.url);
  const { apiKey, timeoutMs = 600_000, concurrency = 16, retryMs, onRetry, signal } = options;
  const client = new JsonClient({ apiKey, timeoutMs, concurrency, retryMs, onRetry });
  const model = options.model ?? (await onlyModel(client, url, signal));
  const answerer = new EndpointAnswerer(client, url, model);
  return {
    model: answerer.model,
    name: model,
    defaultFormat: 'jinja',
    continues: format => format !== 'jinja',
    layOut: format =>
      format === 'jinja' ? "messages, which the server lays out by its model's own template" : undefined,
    async describe() {
      return [
        { name: 'model', value: `${model} at ${url.origin}${url.pathname}` },
        {
          name: 'build',
          value:
            'not known: an OpenAI-compatible endpoint; its weights, quantization and version are what it says they are',
        },
      ];
    },
    plan: async () => null,
    async open(run, _chosen, items, { parallel }) {
      return {
        answerer,
        parallel: Math.min(items.length, parallel ?? Math.max(1, Math.ceil(concurrency / run.ask.samples))),
        [Symbol.asyncDispose]: async () => {},
      };
    },
  };
}

function addressOf(text: string): URL {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw wordError('--endpoint', 'an address as http://127.0.0.1:8080/v1', text);
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw wordError('--endpoint', 'an address that begins with http:// or https://', text);
  if (url.username || url.password || url.search || url.hash)
    throw new MeditronError(
      'ERR_OPTION',
      'Expected --endpoint to be an address alone; a key belongs into an environment variable (--api-key-env)',
    );
  url.pathname = url.pathname === '/' ? '/v1/' : `${url.pathname.replace(/\/+$/, '')}/`;
  return url;
}

async function onlyModel(client: JsonClient, url: URL, signal: AbortSignal | undefined): Promise<string> {
  const { body } = await client.send('GET', new URL('models', url), undefined, signal);
  const data = (body as { data?: { id?: unknown }[] } | null)?.data;
  const names = Array.isArray(data) ? data.flatMap(entry => (typeof entry?.id === 'string' ? [entry.id] : [])) : [];
  if (names.length === 1) return names[0]!;
  const there = names.length === 0 ? 'it lists none' : `it has ${names.slice(0, 20).join(', ')}`;
  throw new MeditronError(
    'ERR_OPTION',
    `Expected --endpoint-model, because ${url.origin} does not have exactly one model: ${there}`,
  );
}
