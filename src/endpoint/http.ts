import { type IncomingMessage, request as plain } from 'node:http';
import { request as secure } from 'node:https';
import { setTimeout as pause } from 'node:timers/promises';
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
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(private readonly options: ClientOptions) {
    this.#free = options.concurrency;
  }

  /**
   * The reply to a request: of status 200, or 400 to 499 other than a refusal of the key or the address, for the caller to read.
   *
   * @throws MeditronError `ERR_OPTION` for a wrong address or key, or a redirect; `ERR_ENDPOINT` if the server fails, or
   *   cannot be reached, seven times over; the signal's reason
   */
  async send(method: 'GET' | 'POST', url: URL, body: unknown, signal?: AbortSignal): Promise<Reply> {
    const release = await this.#enter();
    try {
      for (let attempt = 1; ; attempt++) {
        signal?.throwIfAborted();
        const outcome = await this.#once(method, url, body, signal);
        if ('reply' in outcome) return outcome.reply;
        if (attempt === attempts) throw failed(url, outcome.why);
        const wait = outcome.after ?? (this.options.retryMs ?? 500) * 2 ** (attempt - 1) * (0.75 + Math.random() / 2);
        await pause(Math.min(wait, longestPause), undefined, { ...(signal && { signal }) }).catch(() => {});
      }
    } finally {
      release();
    }
  }

  async #once(
    method: string,
    url: URL,
    body: unknown,
    signal: AbortSignal | undefined,
  ): Promise<{ readonly reply: Reply } | { readonly why: string; readonly after: number | undefined }> {
    let response: { readonly status: number; readonly text: string; readonly message: IncomingMessage };
    try {
      response = await exchange(method, url, body, this.options, signal);
    } catch (error) {
      signal?.throwIfAborted();
      return { why: (error as Error).message, after: undefined };
    }
    const { status, text, message } = response;
    if (temporary.includes(status)) return { why: `status ${status}: ${excerpt(text)}`, after: retryAfter(message) };
    if (status >= 300 && status < 400) {
      const target = message.headers.location ?? 'elsewhere';
      throw wrong(
        `${url.origin}${url.pathname} redirects to ${target}, and redirects are not followed; give that address if you trust it`,
      );
    }
    if (status === 401 || status === 403)
      throw wrong(`${url.origin} refuses the key (status ${status}): ${excerpt(text)}`);
    if (status === 404 || status === 405)
      throw wrong(
        `${url.origin} has nothing at ${url.pathname} (status ${status}); the address usually ends in /v1: ${excerpt(text)}`,
      );
    try {
      return { reply: { status, body: JSON.parse(text) } };
    } catch {
      return { why: `a reply that is not JSON (status ${status}): ${excerpt(text)}`, after: undefined };
    }
  }

  async #enter(): Promise<() => void> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>(go => this.#waiting.push(go));
    return () => {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#free++;
    };
  }
}

/** One request and its reply. `fetch` is not used: it gives up after five minutes without headers, and long chains take longer. */
function exchange(method: string, url: URL, body: unknown, options: ClientOptions, signal: AbortSignal | undefined) {
  const { apiKey, timeoutMs } = options;
  const payload = body === undefined ? undefined : JSON.stringify(body);
  const headers = {
    accept: 'application/json',
    ...(payload !== undefined && { 'content-type': 'application/json', 'content-length': Buffer.byteLength(payload) }),
    ...(apiKey !== undefined && { authorization: `Bearer ${apiKey}` }),
  };
  return new Promise<{ status: number; text: string; message: IncomingMessage }>((resolve, reject) => {
    const send = url.protocol === 'https:' ? secure : plain;
    const sent = send(url, { method, headers, ...(signal && { signal }) }, message => {
      const chunks: Buffer[] = [];
      let size = 0;
      message.on('data', (chunk: Buffer) => {
        chunks.push(chunk);
        size += chunk.length;
        if (size > longestReply) sent.destroy(new Error(`a reply of more than ${longestReply} bytes`));
      });
      message.on('error', reject);
      message.on('end', () => {
        clearTimeout(timer);
        resolve({ status: message.statusCode ?? 0, text: Buffer.concat(chunks).toString('utf8'), message });
      });
    });
    const timer = setTimeout(() => sent.destroy(new Error(`no reply within ${timeoutMs / 1000} s`)), timeoutMs);
    sent.on('error', error => {
      clearTimeout(timer);
      reject(error);
    });
    sent.end(payload);
  });
}

/** Seconds; the form with a date is not worth reading. */
function retryAfter({ headers }: IncomingMessage): number | undefined {
  const seconds = Number(headers['retry-after'] ?? Number.NaN);
  return Number.isFinite(seconds) && seconds >= 0 ? seconds * 1000 : undefined;
}

function wrong(message: string): MeditronError {
  return new MeditronError('ERR_OPTION', message);
}

function failed(url: URL, why: string): MeditronError {
  return new MeditronError('ERR_ENDPOINT', `${url.origin} does not answer, tried ${attempts} times: ${why}`);
}

function excerpt(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length > 200 ? `${line.slice(0, 197)}...` : line || 'no text';
}
