import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import { MeditronError } from '../check/errors.js';
import { errorBody, RequestError } from './error.js';
import type { ListenOptions } from './options.js';

/** A server that answers. */
export interface Listening {
  /** The one chosen where 0 was asked for. */
  readonly port: number;
  /** As `http://127.0.0.1:8080`. */
  readonly url: string;
  /** Takes no more connections; ends those that there are as soon as their answers are sent, or after a moment. Idempotent. */
  close(): Promise<void>;
}

/** Answers that are on their way when the server closes have so long to end. */
const graceMs = 500;
/** Requests of one connection at once: they are answered in their order, so that more gains nothing. */
const mostPipelined = 16;

/**
 * Opens a socket before an app, with limits on what a client may take up: connections, bytes of headers, time to send a request, and time without
 * taking any of its answer.
 *
 * @throws MeditronError `ERR_OPTION` if the address cannot be had
 */
export async function listen(
  fetch: (request: Request) => Response | Promise<Response>,
  { host, port, maxConnections, patience }: ListenOptions,
): Promise<Listening> {
  const patienceMs = patience * 1000;
  const answer = getRequestListener(
    async (request, env) =>
      forSocket(await fetch(request), env as { incoming: IncomingMessage; outgoing: ServerResponse }),
    { overrideGlobalObjects: false, hostname: host, errorHandler: error => plainAnswer(badRequest(error)) },
  );
  const pipelined = new WeakMap<Socket, number>();
  const server = createServer(
    {
      headersTimeout: Math.min(10_000, patienceMs),
      requestTimeout: patienceMs,
      connectionsCheckingInterval: Math.min(1000, patienceMs / 4),
      keepAliveTimeout: 5000,
      maxHeaderSize: 16_384,
    },
    (incoming, outgoing) => {
      const { socket } = incoming;
      const open = (pipelined.get(socket) ?? 0) + 1;
      pipelined.set(socket, open);
      outgoing.once('close', () => pipelined.set(socket, pipelined.get(socket)! - 1));
      const refusal = open > mostPipelined ? tooManyAtOnce() : refusalOf(incoming);
      if (refusal) refuse(outgoing, refusal);
      else void answer(incoming, outgoing);
    },
  );
  server.maxConnections = maxConnections;
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => sayGoodbye(error, socket as Socket));
  const watch = watchReaders(server, patienceMs);
  await bound(server, host, port);
  const chosen = (server.address() as AddressInfo).port;
  let closed: Promise<void> | undefined;
  return {
    port: chosen,
    url: `http://${nameIn(host)}:${chosen}`,
    close() {
      closed ??= close(server).finally(() => clearInterval(watch));
      return closed;
    },
  };
}

function bound(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(notBound(error, host, port)));
    server.listen({ host: host.replace(/^\[|\]$/g, ''), port }, () => {
      server.removeAllListeners('error');
      server.on('error', () => {}); // of accepting a connection, as without a free file descriptor: that client is gone, the server stays
      resolve();
    });
  });
}

function notBound({ code, message }: NodeJS.ErrnoException, host: string, port: number): MeditronError {
  const why: Readonly<Record<string, string>> = {
    EADDRINUSE: `Port ${port} of ${host} is taken by another program. Choose another \`port\`, or 0 for any that is free`,
    EACCES: `Port ${port} needs rights that this user does not have. Choose a \`port\` above 1023`,
    EADDRNOTAVAIL: `This machine does not have the address ${host}. Choose another \`host\``,
    ENOTFOUND: `Nobody knows the address ${host}. Choose another \`host\``,
  };
  return new MeditronError(
    'ERR_OPTION',
    why[code ?? ''] ?? `The server cannot answer on ${host}, port ${port}: ${message}`,
  );
}

/** Answers that have been begun may end; then all sockets go. */
async function close(server: Server): Promise<void> {
  const ended = new Promise<void>(resolve => server.close(() => resolve()));
  server.closeIdleConnections();
  const timer = setTimeout(() => server.closeAllConnections(), graceMs);
  await ended;
  clearTimeout(timer);
}

/** Cuts off clients that take nothing of their answer: the sequences behind it would never be free. */
function watchReaders(server: Server, patienceMs: number): NodeJS.Timeout {
  const sockets = new Set<Socket>();
  // Counted in looks, not in time: while this process itself stood still, nobody could take anything.
  const stuck = new WeakMap<Socket, { readonly taken: number; readonly looks: number }>();
  const everyMs = Math.min(1000, patienceMs / 4);
  server.on('connection', socket => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  const look = () => {
    for (const socket of sockets) {
      const taken = socket.bytesWritten - socket.writableLength;
      const before = stuck.get(socket);
      if (socket.writableLength === 0) stuck.delete(socket);
      else if (before?.taken !== taken) stuck.set(socket, { taken, looks: 0 });
      else if (before.looks * everyMs >= patienceMs) socket.destroy();
      else stuck.set(socket, { taken, looks: before.looks + 1 });
    }
  };
  return setInterval(look, everyMs).unref();
}

/** What Node lets through and no client of ours sends. */
function refusalOf({ url, rawHeaders }: IncomingMessage): RequestError | undefined {
  if (!url?.startsWith('/'))
    return new RequestError(400, 'Expected the address of a request to begin with /, as no proxy is asked here');
  const hosts = rawHeaders.filter((name, i) => i % 2 === 0 && name.toLowerCase() === 'host');
  return hosts.length > 1 ? new RequestError(400, 'Expected one `Host`, got several') : undefined;
}

function tooManyAtOnce(): RequestError {
  return new RequestError(429, `Expected at most ${mostPipelined} requests of one connection at once`, null, {
    'Retry-After': '1',
  });
}

function badRequest(error: unknown): RequestError {
  return new RequestError(
    400,
    `Expected a request that can be read, got one with another address or \`Host\` (${(error as Error).name})`,
  );
}

function refuse(outgoing: ServerResponse, error: RequestError): void {
  const body = JSON.stringify(errorBody(error));
  outgoing.writeHead(error.status, { ...plainHeaders, ...error.headers, 'Content-Length': Buffer.byteLength(body) });
  outgoing.end(body);
}

function plainAnswer(error: RequestError): Response {
  return Response.json(errorBody(error), { status: error.status, headers: plainHeaders });
}

const plainHeaders = { 'Content-Type': 'application/json', 'Cache-Control': 'no-store', Connection: 'close' };

/** What cannot be read as HTTP, or did not come in time, is answered as far as anybody listens. */
function sayGoodbye(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable || socket.bytesWritten > 0) {
    socket.destroy();
    return;
  }
  const { status, words, message } = goodbyes[error.code ?? ''] ?? goodbyes.other!;
  const body = JSON.stringify(errorBody(new RequestError(status, message)));
  const head = `HTTP/1.1 ${status} ${words}\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}`;
  socket.end(`${head}\r\n\r\n${body}`, () => socket.destroy());
}

const goodbyes: Readonly<
  Record<string, { readonly status: 400 | 408 | 431; readonly words: string; readonly message: string }>
> = {
  ERR_HTTP_REQUEST_TIMEOUT: { status: 408, words: 'Request Timeout', message: 'The request did not come in time' },
  HPE_HEADER_OVERFLOW: {
    status: 431,
    words: 'Request Header Fields Too Large',
    message: 'Expected at most 16384 bytes of headers',
  },
  other: { status: 400, words: 'Bad Request', message: 'This is no HTTP request that can be read' },
};

/** A response as it may go through a socket. What fails in a stream ends the connection, and is printed nowhere: it might quote a prompt. */
function forSocket(
  response: Response,
  { incoming, outgoing }: { incoming: IncomingMessage; outgoing: ServerResponse },
): Response {
  if (!response.body) return response;
  const headers = new Headers(response.headers);
  if (incoming.httpVersion === '1.0') headers.delete('Transfer-Encoding'); // it does not know chunks: the end of the connection is the end
  const reader = response.body.getReader();
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { done, value } = await reader.read();
          if (done) controller.close();
          else controller.enqueue(value);
        } catch {
          outgoing.destroy();
          controller.close();
        }
      },
      cancel: reason => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  );
  return new Response(body, { status: response.status, statusText: response.statusText, headers });
}

function nameIn(host: string): string {
  if (host === '0.0.0.0' || host === '::') return '127.0.0.1';
  return host.includes(':') && !host.startsWith('[') ? `[${host}]` : host;
}
