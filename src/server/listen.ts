import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import { MeditronError } from '../check/errors.js';
import type { ListenOptions } from './options.js';
import { badRequest, notRead, plainAnswer, refusalOf } from './refusals.js';

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

/** Of a request that has been refused so many bytes are read, until none have come for so long. */
const mostDropped = 64 << 20;
const silentMs = 500;

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
  /** Answers that have not been sent, in the order of their requests. */
  const unsent = new WeakMap<Socket, Set<ServerResponse>>();
  const unsentOn = (socket: Socket) => unsent.get(socket) ?? new Set();
  const answer = getRequestListener(
    async (request, env) => {
      const { incoming, outgoing } = env as { incoming: IncomingMessage; outgoing: ServerResponse };
      const refusal = refusalOf(incoming, unsentOn(incoming.socket).size);
      const response = refusal ? plainAnswer(refusal) : await fetch(request);
      return response.status >= 400 && !incoming.complete
        ? answeredEarly(response, incoming)
        : forSocket(response, { incoming, outgoing });
    },
    { overrideGlobalObjects: false, hostname: host, errorHandler: error => plainAnswer(badRequest(error)) },
  );
  const take = (incoming: IncomingMessage, outgoing: ServerResponse) => {
    const { socket } = incoming;
    const these = unsentOn(socket).add(outgoing);
    unsent.set(socket, these);
    outgoing.once('close', () => these.delete(outgoing));
    void answer(incoming, outgoing);
  };
  const server = createServer(
    {
      headersTimeout: Math.min(10_000, patienceMs),
      requestTimeout: patienceMs,
      connectionsCheckingInterval: Math.min(1000, patienceMs / 4),
      keepAliveTimeout: 5000,
      maxHeaderSize: 16_384,
    },
    take,
  );
  server.maxConnections = maxConnections;
  server.on('checkExpectation', take);
  server.on('connect', (_, socket) => notRead({ code: 'CONNECT' }, socket as Socket, []));
  server.on('clientError', (error: NodeJS.ErrnoException, socket) =>
    notRead(error, socket as Socket, [...unsentOn(socket as Socket)]),
  );
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

/**
 * A refusal of a request that has not come whole, sent at once and ended when it has: a connection that is closed before takes the answer with it,
 * for a client that sends all of its request before it reads.
 */
async function answeredEarly(response: Response, incoming: IncomingMessage): Promise<Response> {
  const bytes = new Uint8Array(await response.arrayBuffer());
  const headers = new Headers(response.headers);
  headers.set('Content-Length', String(bytes.length));
  const body = new ReadableStream<Uint8Array>({
    async start(controller) {
      controller.enqueue(bytes);
      await dropped(incoming);
      controller.close();
    },
  });
  return new Response(body, { status: response.status, headers });
}

/** Resolves when a request has come whole, nothing of it comes any more, or more than anybody is waited for. */
function dropped(incoming: IncomingMessage): Promise<void> {
  return new Promise(resolve => {
    let bytes = 0;
    const silence = setTimeout(resolve, silentMs);
    const done = () => {
      clearTimeout(silence);
      resolve();
    };
    incoming.on('data', piece => {
      silence.refresh();
      bytes += piece.length;
      if (bytes > mostDropped) done();
    });
    incoming.once('end', done).once('close', done).resume();
  });
}

function nameIn(host: string): string {
  if (host === '0.0.0.0' || host === '::') return '127.0.0.1';
  return host.includes(':') && !host.startsWith('[') ? `[${host}]` : host;
}
