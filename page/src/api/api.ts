import type { ErrorBody, Failure } from '../../../src/server/meditron/protocol.js';
import { EventReader } from './events.js';

/** Why a request failed: what the server says, or that there is none. */
export type Problem = Omit<Failure, 'code'> & {
  readonly code: Failure['code'] | 'UNREACHABLE' | 'UNAUTHORIZED' | 'NOT_FOUND' | 'TOO_LARGE';
};

/** What a status says that no code does. */
const byStatus: Readonly<Record<number, Problem['code']>> = { 401: 'UNAUTHORIZED', 404: 'NOT_FOUND', 413: 'TOO_LARGE' };

/** A piece of a turn, as far as the page reads it. */
export interface ChatPiece {
  readonly choices?: readonly {
    readonly delta?: { readonly content?: string | null };
    readonly finish_reason?: string | null;
  }[];
  readonly error?: Failure;
}

/** A request that failed. */
export class ApiError extends Error {
  constructor(
    readonly problem: Problem,
    readonly status: number,
  ) {
    super(problem.message);
  }
}

/** What went wrong, whatever was thrown. */
export function problemOf(error: unknown): Problem {
  if (error instanceof ApiError) return error.problem;
  return {
    message: error instanceof Error ? error.message : String(error),
    type: 'page',
    param: null,
    code: 'ERR_FAULT',
  };
}

export interface StreamOptions {
  readonly body?: unknown;
  readonly signal?: AbortSignal;
  /** Go on behind the event of this id. */
  readonly after?: string | undefined;
}

/** The server's routes: those below `/v1/meditron`, and the chat that every client has. */
export class Api {
  readonly #key: string | undefined;
  readonly #base: string;

  constructor(key: string | undefined, base = './v1/') {
    this.#key = key;
    this.#base = base;
  }

  async get<T>(path: string): Promise<T> {
    return (await this.#fetch('GET', path, {})).json();
  }

  async post<T>(path: string, body: unknown, signal?: AbortSignal): Promise<T> {
    return (await this.#fetch('POST', path, { body, ...(signal && { signal }) })).json();
  }

  async delete<T>(path: string): Promise<T> {
    return (await this.#fetch('DELETE', path, {})).json();
  }

  /** The events of a stream, as JSON; it ends with the stream. */
  async *stream<T>(
    method: 'GET' | 'POST',
    path: string,
    options: StreamOptions = {},
  ): AsyncGenerator<{ readonly id: string | undefined; readonly event: T }> {
    yield* this.#events<T>(await this.#fetch(method, path, options, 'text/event-stream'));
  }

  /** The pieces of the next turn of a conversation, as OpenAI's clients get them. */
  async *chat(body: object, signal: AbortSignal): AsyncGenerator<ChatPiece> {
    const options = { body: { ...body, stream: true }, signal };
    const response = await this.#fetch('POST', '../chat/completions', options, 'text/event-stream');
    for await (const { event } of this.#events<ChatPiece>(response)) yield event;
  }

  async *#events<T>(response: Response): AsyncGenerator<{ readonly id: string | undefined; readonly event: T }> {
    const reader = new EventReader();
    const body = response.body!.getReader();
    try {
      for (;;) {
        const { done, value } = await body.read().catch(unreachable);
        if (done) return;
        for (const { id, data } of reader.read(value)) {
          if (data === '[DONE]') return;
          yield { id, event: JSON.parse(data) as T };
        }
      }
    } finally {
      body.cancel().catch(() => {});
    }
  }

  async #fetch(method: string, path: string, { body, signal, after }: StreamOptions, accept = 'application/json') {
    const response = await fetch(new URL(`meditron/${path}`, new URL(this.#base, location.href)), {
      method,
      headers: {
        Accept: accept,
        // Everything that changes something says that it is JSON: a form on another site cannot.
        ...(method !== 'GET' && { 'Content-Type': 'application/json' }),
        ...(this.#key !== undefined && { Authorization: `Bearer ${this.#key}` }),
        ...(after !== undefined && { 'Last-Event-ID': after }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      ...(signal && { signal }),
      cache: 'no-store',
      credentials: 'omit',
    }).catch(unreachable);
    if (response.ok) return response;
    const said = (await response.json().catch(() => undefined)) as ErrorBody | undefined;
    const problem = said?.error ?? {
      message: `HTTP ${response.status}`,
      type: 'server_error',
      param: null,
      code: 'ERR_FAULT',
    };
    throw new ApiError({ ...problem, code: byStatus[response.status] ?? problem.code }, response.status);
  }
}

function unreachable(error: unknown): never {
  if (error instanceof DOMException && error.name === 'AbortError') throw error;
  throw new ApiError({ message: String(error), type: 'page', param: null, code: 'UNREACHABLE' }, 0);
}
