import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { JsonClient } from '../../src/endpoint/http.js';

const servers: (() => void)[] = [];
afterEach(() => {
  for (const close of servers.splice(0)) close();
});

/** A server that does as told with every connection; the index counts them. */
async function listen(onRequest: (socket: Socket, index: number) => void): Promise<URL> {
  let count = 0;
  const sockets = new Set<Socket>();
  const server = createServer(socket => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('data', () => onRequest(socket, count++));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  servers.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return new URL(`http://127.0.0.1:${(server.address() as { port: number }).port}/v1/x`);
}

const reply = (type: string, body: string, length = Buffer.byteLength(body)) =>
  `HTTP/1.1 200 OK\r\ncontent-type: ${type}\r\ncontent-length: ${length}\r\n\r\n${body}`;
const good = reply('application/json', '{"a":1}');

/** Replies that a kept connection, a proxy or a dying server can cut short, each followed by a good one. */
const torn: Readonly<Record<string, (socket: Socket) => void>> = {
  'a body shorter than promised': socket => socket.end(reply('application/json', '{"a"', 100)),
  'headers cut off': socket => socket.end('HTTP/1.1 200 OK\r\ncontent-ty'),
  'nothing at all': socket => socket.end(),
  'a reset': socket => socket.resetAndDestroy(),
  'a chunk cut off': socket =>
    socket.end('HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n20\r\n{"a"'),
  'half of the JSON, complete as a reply': socket => socket.end(reply('application/json', '{"a":')),
};

test.each(Object.entries(torn))('%s is asked for again, and that is said', async (_, tear) => {
  const url = await listen((socket, index) => {
    if (index === 0) tear(socket);
    else socket.write(good);
  });
  const said: string[] = [];
  const client = new JsonClient({ timeoutMs: 30_000, concurrency: 2, retryMs: 1, onRetry: why => said.push(why) });
  expect(await client.send('POST', url, {})).toEqual({ status: 200, body: { a: 1 } });
  expect(said).toHaveLength(1);
  expect(said[0]).toMatch(/trying again in .* \(1 of 6\)/);
});

test.each(['text/html; charset=utf-8', 'text/plain'])('a reply of type %s is no reason to wait', async type => {
  let asked = 0;
  const url = await listen(socket => {
    asked++;
    socket.write(reply(type, '<html><title>Log in</title>'));
  });
  const client = new JsonClient({ timeoutMs: 30_000, concurrency: 2 });
  await expect(client.send('POST', url, {})).rejects.toMatchObject({
    code: 'ERR_ENDPOINT',
    message: expect.stringMatching(/Expected JSON from .*<html>/),
  });
  expect(asked).toBe(1);
});

test('a process ends when its work has, whatever the limit of time was', async () => {
  const url = await listen((socket, index) => {
    if (index === 0) torn['a body shorter than promised']!(socket);
    else socket.write(good);
  });
  const code = `import { JsonClient } from './src/endpoint/http.ts';
    const client = new JsonClient({ timeoutMs: 600_000, concurrency: 2, retryMs: 1 });
    console.log(JSON.stringify(await client.send('POST', new URL(${JSON.stringify(url.href)}), {})));`;
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', code], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let out = '';
  child.stdout.on('data', text => {
    out += text;
  });
  expect(await once(child, 'close')).toEqual([0, null]);
  expect(JSON.parse(out)).toEqual({ status: 200, body: { a: 1 } });
});
