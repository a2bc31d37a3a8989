import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { errorBody, RequestError } from './error.js';

/** Requests of one connection at once: they are answered in their order, so that more gains nothing. */
const mostPipelined = 16;

/** Why a request does not come to the app: what Node lets through and no client of ours sends. `unsent`: answers that its connection waits for. */
export function refusalOf({ url, headers, rawHeaders }: IncomingMessage, unsent: number): RequestError | undefined {
  if (unsent > mostPipelined)
    return new RequestError(429, `Expected at most ${mostPipelined} requests of one connection at once`, null, {
      'Retry-After': '1',
      Connection: 'close',
    });
  if (!url?.startsWith('/')) return noProxy();
  const hosts = rawHeaders.filter((name, i) => i % 2 === 0 && name.toLowerCase() === 'host');
  if (hosts.length > 1) return new RequestError(400, 'Expected one `Host`, got several');
  if (!/^(100-continue)?$/i.test(headers.expect ?? ''))
    return new RequestError(417, 'Expected `Expect` to be 100-continue, or left out');
  return undefined;
}

function noProxy(): RequestError {
  return new RequestError(400, 'Expected the address of a request to begin with /, as no proxy is asked here');
}

export function badRequest(error: unknown): RequestError {
  return new RequestError(
    400,
    `Expected a request that can be read, got one with another address or \`Host\` (${(error as Error).name})`,
  );
}

/** A refusal as a response. The connection stays as it is: a client that sends its whole request first has to come to read this. */
export function plainAnswer(error: RequestError): Response {
  return Response.json(errorBody(error), {
    status: error.status,
    headers: { 'Cache-Control': 'no-store', ...error.headers },
  });
}

/**
 * Ends a connection on which something came that cannot be read as HTTP, or did not come in time. That is said if it is what the client waits for
 * next: not while an earlier request has no answer, nor in the middle of one.
 */
export function notRead({ code = '' }: { code?: string | undefined }, socket: Socket, unsent: ServerResponse[]): void {
  const [first] = unsent;
  const next = unsent.length === 0 || (unsent.length === 1 && !first!.headersSent && !first!.req.complete);
  socket.on('error', () => {});
  if (code === 'ECONNRESET' || !socket.writable || !next) {
    socket.destroy();
    return;
  }
  const error = faults[code] ?? new RequestError(400, 'This is no HTTP request that can be read');
  const body = JSON.stringify(errorBody(error));
  const head = `HTTP/1.1 ${error.status} ${STATUS_CODES[error.status]}\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}`;
  socket.end(`${head}\r\n\r\n${body}`, () => socket.destroy());
}

const faults: Readonly<Record<string, RequestError>> = {
  ERR_HTTP_REQUEST_TIMEOUT: new RequestError(408, 'The request did not come in time'),
  HPE_HEADER_OVERFLOW: new RequestError(431, 'Expected at most 16384 bytes of headers'),
  CONNECT: noProxy(),
};
