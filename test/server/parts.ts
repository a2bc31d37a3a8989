import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { Hono } from 'hono';
import { MeditronError } from '../../src/check/errors.js';
import { type AppParts, makeApp, type RouteSet } from '../../src/server/app.js';
import { type Listening, listen } from '../../src/server/listen.js';
import type { ListenOptions } from '../../src/server/options.js';
import { unknownModel } from '../../src/server/pool/names.js';
import type { Pool } from '../../src/server/pool/pool.js';
import { ownHost } from '../../src/server/safety/host.js';

export const pageKey = 'the-key-of-the-page';

/** A pool of none. */
export const noModels: Pool = {
  models: [],
  find(name) {
    throw unknownModel(name ?? '', []);
  },
  async use(name) {
    throw unknownModel(name ?? '', []);
  },
  async add() {
    throw new MeditronError('ERR_OPTION', 'There are no models here');
  },
  async unload() {},
  async [Symbol.asyncDispose]() {},
};

/** An app of these routes, with a page that has not been built. */
export function appOf(routes: RouteSet, more: Partial<AppParts> = {}): Hono {
  return makeApp({
    pool: noModels,
    pageKey,
    access: { key: undefined, maxBody: 10_000 },
    routes: [routes],
    pageFolder: 'nowhere',
    ...more,
  });
}

/** The same behind a socket of this machine; closed when disposed of. */
export async function serving(
  routes: RouteSet,
  more: Partial<AppParts> = {},
  options: Partial<ListenOptions> = {},
): Promise<Listening & AsyncDisposable> {
  const app = appOf(routes, { guard: ownHost('127.0.0.1', []), ...more });
  const listening = await listen(request => app.fetch(request), {
    host: '127.0.0.1',
    port: 0,
    maxConnections: 512,
    patience: 30,
    ...options,
  });
  return { ...listening, [Symbol.asyncDispose]: () => listening.close() };
}

/** A connection to it, and all that came. */
export interface Raw {
  readonly socket: Socket;
  /** Resolves with all that came when the server has closed the connection. */
  readonly closed: Promise<string>;
  /** Resolves when this has come. */
  until(text: string): Promise<string>;
}

export async function raw({ port }: { readonly port: number }, send = ''): Promise<Raw> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  socket.on('error', () => {});
  let came = '';
  socket.setEncoding('utf8').on('data', text => {
    came += text;
  });
  const closed = new Promise<string>(resolve => {
    socket.once('end', () => socket.end());
    socket.once('close', () => resolve(came));
  });
  await once(socket, 'connect');
  socket.write(send);
  return {
    socket,
    closed,
    async until(text) {
      while (!came.includes(text)) await once(socket, 'data');
      return came;
    },
  };
}

/** The text of an HTTP request. */
export function request(
  line: string,
  headers: Readonly<Record<string, string | number>> = {},
  body = '',
  version = 'HTTP/1.1',
): string {
  const all = { Host: '127.0.0.1', Connection: 'close', ...headers };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}`);
  return `${[`${line} ${version}`, ...lines].join('\r\n')}\r\n\r\n${body}`;
}

/** What was answered to a request that was sent as it stands. */
export async function answered(
  to: { readonly port: number },
  text: string,
): Promise<{ status: number; head: string; body: string }> {
  const { closed } = await raw(to, text);
  const came = await closed;
  const [head = '', ...rest] = came.split('\r\n\r\n');
  return { status: Number(/^HTTP\/1\.1 (\d+)/.exec(head)?.[1]), head, body: rest.join('\r\n\r\n') };
}
