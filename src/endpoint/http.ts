import { setTimeout as pause } from 'node:timers/promises';
import { Agent, errors, request } from 'undici';
import { MeditronError } from '../check/errors.js';

export interface ClientOptions {
  /** Sent as a bearer token, and nowhere else. */
  readonly apiKey?: string | undefined;
  /** Of one request, milliseconds. */
  readonly timeoutMs: number;
  /** Requests at once. */
  readonly concurrency: number;
  /** The first pause before a request is tried again; doubled each time. Default 500 ms. */
  readonly retryMs?: number | undefined;
  /** Called with a sentence whenever a request will be tried again. */
  readonly onRetry?: ((message: string) => void) | undefined;
}

export interface Reply {
  readonly status: number;
  readonly body: unknown;
}

const attempts = 7;
const longestPause = 60_000;
const longestReply = 64 << 20;
/** The server is busy or restarting; the same request may do later. */
const temporary: readonly number[] = [408, 429, 500, 502, 503, 504];

/** Sends JSON to one server: so many requests at once, again after a pause if it is busy, never anywhere it redirects to. */
export class JsonClient {
  readonly #agent: Agent;

  constructor(private readonly options: ClientOptions) {
    this.#agent = new Agent({
      connections: options.concurrency,
      pipelining: 1,
      // The whole request has one limit of time, `timeoutMs`: a long chain is silent until it is complete.
      headersTimeout: 0,
      bodyTimeout: 0,
      maxResponseSize: longestReply,
    });
  }

  /**
   * The reply to a request: of status 200, or 400 to 499 other than a refusal of the key or the address, for the caller to read.
   *
   * @throws MeditronError `ERR_OPTION` for a wrong address or key, or a redirect; `ERR_ENDPOINT` if the server fails, or
   *   cannot be reached, seven times over, or answers with something that is not JSON; the signal's reason
   */
  async send(method: 'GET' | 'POST', url: URL, body: unknown, signal?: AbortSignal): Promise<Reply> {
    for (let attempt = 1; ; attempt++) {
      signal?.throwIfAborted();
      const outcome = await this.#once(method, url, body, signal);
      if ('reply' in outcome) return outcome.reply;
      if (attempt === attempts) {
        throw new MeditronError(
          'ERR_ENDPOINT',
          `${url.origin} does not answer, tried ${attempts} times: ${outcome.why}`,
        );
      }
      const backOff = (this.options.retryMs ?? 500) * 2 ** (attempt - 1) * (0.75 + Math.random() / 2);
      const wait = Math.min(outcome.after ?? backOff, longestPause);
      this.options.onRetry?.(
        `${url.origin}: ${outcome.why}; trying again in ${(wait / 1000).toFixed(1)} s (${attempt} of ${attempts - 1})`,
      );
      await pause(wait, undefined, { ...(signal && { signal }) }).catch(() => {});
    }
  }

  async #once(
    method: 'GET' | 'POST',
    url: URL,
    body: unknown,
    signal: AbortSignal | undefined,
  ): Promise<{ readonly reply: Reply } | { readonly why: string; readonly after: number | undefined }> {
    let response: Response;
    try {
      response = await this.#exchange(method, url, body, signal);
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof errors.ResponseExceededMaxSizeError)
        throw unusable(url, `a reply of more than ${longestReply} bytes`);
      return { why: this.#reason(error), after: undefined };
    }
    const { status, text, headers } = response;
    if (temporary.includes(status))
      return { why: `status ${status}: ${excerpt(text, body)}`, after: retryAfter(headers) };
    if (status >= 300 && status < 400) {
      const target = headers.location ?? 'elsewhere';
      throw wrong(
        `${url.origin}${url.pathname} redirects to ${target}, and redirects are not followed; give that address if you trust it`,
      );
    }
    if (status === 401 || status === 403)
      throw wrong(`${url.origin} refuses the key (status ${status}): ${excerpt(text, body)}`);
    if (status === 404 || status === 405)
      throw wrong(
        `${url.origin} has nothing at ${url.pathname} (status ${status}); the address usually ends in /v1: ${excerpt(text, body)}`,
      );
    try {
      return { reply: { status, body: JSON.parse(text) } };
    } catch {
      const type = String(headers['content-type'] ?? 'of no type');
      if (!/json/i.test(type)) throw unusable(url, `a reply that is not JSON but ${type}: ${excerpt(text, body)}`);
      return { why: `a damaged reply (status ${status}): ${excerpt(text, body)}`, after: undefined };
    }
  }

  async #exchange(method: 'GET' | 'POST', url: URL, body: unknown, signal: AbortSignal | undefined): Promise<Response> {
    const { apiKey, timeoutMs } = this.options;
    const limit = AbortSignal.timeout(timeoutMs);
    const {
      statusCode,
      headers,
      body: reply,
    } = await request(url, {
      dispatcher: this.#agent,
      method,
      headers: {
        accept: 'application/json',
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...(apiKey !== undefined && { authorization: `Bearer ${apiKey}` }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      signal: signal ? AbortSignal.any([signal, limit]) : limit,
    });
    return { status: statusCode, text: await reply.text(), headers };
  }

  #reason(error: unknown): string {
    const { name, message, cause } = error as Error;
    if (name === 'TimeoutError') return `no reply within ${this.options.timeoutMs / 1000} s`;
    return (
      message || (cause instanceof Error ? cause.message : '') || String((error as { code?: string }).code ?? name)
    );
  }
}

interface Response {
  readonly status: number;
  readonly text: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** Seconds; the form with a date is not worth reading. */
function retryAfter(headers: Response['headers']): number | undefined {
  const seconds = Number(headers['retry-after'] ?? Number.NaN);
  return Number.isFinite(seconds) && seconds >= 0 ? seconds * 1000 : undefined;
}

function wrong(message: string): MeditronError {
  return new MeditronError('ERR_OPTION', message);
}

function unusable(url: URL, what: string): MeditronError {
  return new MeditronError('ERR_ENDPOINT', `Expected JSON from ${url.origin}${url.pathname}, got ${what}`);
}

/** The beginning of what a server says, without what was sent to it: servers repeat a request that they refuse. */
export function excerpt(text: string, sent: unknown): string {
  const line = withoutSent(oneLine(text.slice(0, 2000)), textsIn(sent).map(oneLine));
  return line.length > 200 ? `${line.slice(0, 197)}...` : line || 'no text';
}

/** A shorter piece of a text that was sent tells nothing of it. */
const shortestPiece = 8;

function withoutSent(text: string, sent: readonly string[]): string {
  let kept = '';
  for (let i = 0; i < text.length; ) {
    const length = repeated(text, i, sent);
    if (length > 0 && !kept.endsWith('…')) kept += '…';
    if (length === 0) kept += text[i];
    i += Math.max(1, length);
  }
  return kept;
}

/** How long a piece of some text that was sent begins at a place; 0 for one that is too short to matter. */
function repeated(text: string, at: number, sent: readonly string[]): number {
  const holding = sent.filter(each => each.includes(text.slice(at, at + shortestPiece)));
  if (at + shortestPiece > text.length || holding.length === 0) return 0;
  let length = shortestPiece;
  while (at + length < text.length && holding.some(each => each.includes(text.slice(at, at + length + 1)))) length++;
  return length;
}

/** The texts of a prompt or of messages, and what stops a sample; a model's name is none. */
function textsIn(body: unknown): string[] {
  const { prompt, messages, stop } = (body ?? {}) as Record<string, unknown>;
  const all = (value: unknown): string[] => {
    if (typeof value === 'string') return [value];
    return typeof value === 'object' && value !== null ? Object.values(value).flatMap(all) : [];
  };
  return all([prompt, messages, stop]);
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}
