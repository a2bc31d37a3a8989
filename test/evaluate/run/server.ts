import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What was asked of the server. */
export interface Asked {
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  // biome-ignore lint/suspicious/noExplicitAny: a request as it came over the wire
  readonly body: any;
}

export interface Answered {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** An object is sent as JSON, a string as it is; `hang` never answers. */
  readonly body?: object | string | 'hang';
  /** Milliseconds before the answer. */
  readonly after?: number;
}

export interface Fake extends AsyncDisposable {
  readonly url: string;
  readonly asked: Asked[];
  /** Requests that were being answered at once, at most. */
  readonly most: number;
}

/**
 * A server on this machine that speaks as much of OpenAI's protocol as the tests need: it lists one model, and answers
 * completions as the test says. It is no model.
 */
export async function fakeServer(answer: (asked: Asked, number: number) => Answered): Promise<Fake> {
  const asked: Asked[] = [];
  let [running, most] = [0, 0];
  const server: Server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const text = Buffer.concat(chunks).toString();
    const one = { path: request.url!, headers: request.headers, body: text === '' ? undefined : JSON.parse(text) };
    most = Math.max(most, ++running);
    const {
      status = 200,
      headers = {},
      body = {},
      after = 0,
    } = one.path === '/v1/models' ? { body: { data: [{ id: 'tiny' }] } } : answer(one, asked.push(one) - 1);
    await new Promise(resolve => setTimeout(resolve, after));
    running--;
    if (body === 'hang') return;
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    asked,
    get most() {
      return most;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise(resolve => server.close(resolve));
    },
  };
}

/** A reply of `completions`, in the form that OpenAI's own server and vLLM use. */
export const completion = (text: string, more: object = {}) => ({
  choices: [
    {
      text,
      finish_reason: 'stop',
      logprobs: { tokens: ['x', 'y'], token_logprobs: [-0.5, -0.25], top_logprobs: null },
    },
  ],
  usage: { prompt_tokens: 120, completion_tokens: 7 },
  ...more,
});

/** The alternatives for the first token, in the form of vLLM. */
export const alternatives = (top: Readonly<Record<string, number>>) => ({
  choices: [{ text: 'x', finish_reason: 'length', logprobs: { token_logprobs: [-1], top_logprobs: [top] } }],
  usage: { prompt_tokens: 90, completion_tokens: 1 },
});

/** A reply of `chat/completions`. */
export const message = (content: string) => ({
  choices: [
    {
      message: { role: 'assistant', content },
      finish_reason: 'stop',
      logprobs: { content: [{ token: 'x', logprob: -0.5, top_logprobs: [] }] },
    },
  ],
  usage: { prompt_tokens: 120, completion_tokens: 7 },
});
