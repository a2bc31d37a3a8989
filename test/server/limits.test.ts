import { once } from 'node:events';
import { connect } from 'node:net';
import { Hono } from 'hono';
import { expect, test } from 'vitest';
import { answered, raw, request, serving } from './parts.js';

const json = { 'Content-Type': 'application/json' };
/** Seconds that clients have here. */
const patience = 0.3;

const echo = () => new Hono().get('/read', c => c.text('read')).post('/echo', async c => c.json(await c.req.json()));

/** A promise to be resolved from outside. */
function resolvers() {
  let resolve = () => {};
  const promise = new Promise<void>(done => {
    resolve = done;
  });
  return { promise, resolve };
}

/** A stream that never ends, and what became of it. */
function endless() {
  const seen = { bytes: 0, left: resolvers() };
  const routes = () =>
    new Hono().get('/stream', c => {
      const chunk = new Uint8Array(1 << 16);
      const body = new ReadableStream<Uint8Array>(
        {
          pull(controller) {
            seen.bytes += chunk.length;
            controller.enqueue(chunk);
          },
          cancel: () => seen.left.resolve(),
        },
        { highWaterMark: 0 },
      );
      return c.body(body);
    });
  return { seen, routes };
}

/** A request that waits until its client has left. */
function waiting() {
  const begun = resolvers();
  const left = resolvers();
  const routes = () =>
    new Hono().get('/wait', async c => {
      const { signal } = c.req.raw;
      signal.addEventListener('abort', () => left.resolve());
      begun.resolve();
      await left.promise;
      return c.text('left');
    });
  return { begun: begun.promise, left: left.promise, routes };
}

test('a client that sends its headers drop by drop is cut off', async () => {
  await using server = await serving(echo, {}, { patience });
  const { socket, closed } = await raw(server, 'GET /read HTTP/1.1\r\nHost: 127.0.0.1\r\n');
  const drops = setInterval(() => socket.write('X-Drop: 1\r\n'), 50);
  expect(await closed).toMatch(/^HTTP\/1\.1 408 /);
  clearInterval(drops);
});

test('and one that sends its body drop by drop', async () => {
  await using server = await serving(echo, {}, { patience });
  const { socket, closed } = await raw(server, request('POST /echo', { ...json, 'Content-Length': 1000 }, '{'));
  const drops = setInterval(() => socket.write(' '), 50);
  expect(await closed).toMatch(/^(HTTP\/1\.1 408 .*)?$/s);
  clearInterval(drops);
});

test('and one that connects and says nothing', async () => {
  await using server = await serving(echo, {}, { patience });
  expect(await (await raw(server)).closed).toMatch(/^HTTP\/1\.1 408 /);
});

test('headers without end are refused', async () => {
  await using server = await serving(echo);
  const { status, body } = await answered(server, request('GET /read', { 'X-Long': 'x'.repeat(20_000) }));
  expect(status).toBe(431);
  expect(JSON.parse(body)).toMatchObject({ error: { code: 'ERR_REQUEST' } });
});

test('what is no HTTP is answered with 400, in the form of all errors', async () => {
  await using server = await serving(echo);
  const { status, body } = await answered(server, 'hello\r\n\r\n');
  expect(status).toBe(400);
  expect(JSON.parse(body)).toMatchObject({ error: { type: 'invalid_request_error' } });
});

test.each([
  ['an absolute address', request('GET http://127.0.0.1/read')],
  ['an absolute address of another host', request('GET http://evil.example/read')],
  ['an asterisk', request('OPTIONS *')],
  ['a tunnel', request('CONNECT evil.example:443')],
  ['two hosts', request('GET /read').replace('\r\n', '\r\nHost: evil.example\r\n')],
  ['no host', 'GET /read HTTP/1.1\r\nConnection: close\r\n\r\n'],
  [
    'a length and chunks',
    request('POST /echo', { ...json, 'Content-Length': 3, 'Transfer-Encoding': 'chunked' }, '2\r\n{}\r\n0\r\n\r\n'),
  ],
  [
    'two lengths',
    request('POST /echo', { ...json, 'Content-Length': 2 }, '{}').replace('\r\n', '\r\nContent-Length: 3\r\n'),
  ],
  ['a line that is folded', request('GET /read', { 'X-Folded': 'a\r\n b' })],
  ['a bare line feed', 'GET /read HTTP/1.1\nHost: 127.0.0.1\nConnection: close\n\n'],
  ['a backslash', request('GET /..\\..\\package.json')],
])('%s is refused', async (_, text) => {
  await using server = await serving(echo);
  expect((await answered(server, text)).status).toBe(400);
});

test.each([
  ['is too large, as it says', 413, { 'Content-Length': 6_000_000 }, 'x'.repeat(6_000_000)],
  [
    'is too large, in pieces',
    413,
    { 'Transfer-Encoding': 'chunked' },
    `${`100000\r\n${'x'.repeat(0x100000)}\r\n`.repeat(6)}0\r\n\r\n`,
  ],
  ['is a form', 415, { 'Content-Type': 'text/plain', 'Content-Length': 6_000_000 }, 'x'.repeat(6_000_000)],
  ['is of another site', 403, { Origin: 'http://evil.example', 'Content-Length': 6_000_000 }, 'x'.repeat(6_000_000)],
  ['is for another host', 421, { Host: 'evil.example', 'Content-Length': 6_000_000 }, 'x'.repeat(6_000_000)],
  ['expects something', 417, { Expect: 'cake', 'Content-Length': 6_000_000 }, 'x'.repeat(6_000_000)],
])(
  'a client that sends all of its request before it reads is told that it %s: %i',
  async (_, status, headers, body) => {
    await using server = await serving(echo);
    const socket = connect({ port: server.port, host: '127.0.0.1' }).setEncoding('utf8').pause();
    let came = '';
    socket.on('data', text => {
      came += text;
    });
    const written = new Promise<unknown>(done =>
      socket.write(request('POST /echo', { ...json, ...headers }, body), done),
    );
    expect(await written).toBeFalsy();
    socket.resume();
    await once(socket, 'close');
    expect(came).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(JSON.parse(came.split('\r\n\r\n')[1]!)).toMatchObject({ error: { code: 'ERR_REQUEST' } });
  },
);

test('a request that is refused is not read for ever', async () => {
  await using server = await serving(echo);
  const { socket, closed } = await raw(
    server,
    request('POST /echo', { 'Content-Type': 'text/plain', 'Transfer-Encoding': 'chunked' }),
  );
  const piece = `100000\r\n${'x'.repeat(0x100000)}\r\n`;
  let sent = 0;
  const more = () => socket.writable && socket.write(piece, () => ++sent && more());
  more();
  expect(await closed).toMatch(/^HTTP\/1\.1 415 /);
  expect(sent).toBeLessThan(100);
});

test('a connection on which something that is no HTTP follows an answer is told so, and one that waits for an answer is closed', async () => {
  const { begun, left, routes } = waiting();
  await using server = await serving(() => routes().get('/read', c => c.text('read')));
  const kept = { Connection: 'keep-alive' };
  const first = await raw(server, request('GET /read', kept));
  await first.until('read');
  first.socket.write('hello\r\n\r\n');
  expect((await first.closed).match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 400']);
  const second = await raw(server, request('GET /wait', kept));
  await begun;
  second.socket.write('hello\r\n\r\n');
  expect(await second.closed).toBe('');
  await left;
});

test('a client that is told to go on, and does not, is told that it took too long', async () => {
  await using server = await serving(echo, {}, { patience });
  const { closed } = await raw(server, request('POST /echo', { ...json, Expect: '100-continue', 'Content-Length': 2 }));
  expect((await closed).match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 100', 'HTTP/1.1 408']);
});

test('HTTP/1.0 is answered, a stream without chunks', async () => {
  const stream = () =>
    new Hono().get('/stream', c =>
      c.body(new Blob(['one', 'two']).stream(), { headers: { 'Transfer-Encoding': 'chunked' } }),
    );
  await using server = await serving(stream);
  const { status, head, body } = await answered(server, request('GET /stream', {}, '', 'HTTP/1.0'));
  expect([status, body]).toEqual([200, 'onetwo']);
  expect(head.toLowerCase()).not.toContain('chunked');
});

test('requests that are sent before the last one is answered are answered in order', async () => {
  await using server = await serving(echo);
  const { closed, socket } = await raw(
    server,
    request('GET /read', { Connection: 'keep-alive' }).repeat(3) + request('GET /read'),
  );
  expect((await closed).match(/HTTP\/1\.1 200/g)).toHaveLength(4);
  expect(socket.destroyed).toBe(true);
});

test('beyond sixteen of one connection they are refused', async () => {
  const { begun, left, routes } = waiting();
  let reads = 0;
  await using server = await serving(() => routes().get('/read', c => c.text(`${++reads}`)));
  const kept = { Connection: 'keep-alive' };
  const { socket } = await raw(server, request('GET /wait', kept) + request('GET /read', kept).repeat(50));
  await begun;
  await answered(server, request('GET /read')); // what was sent before has come
  socket.destroy();
  await left;
  expect(reads).toBe(15 + 1);
});

test('a client that leaves is told to the handler at once', async () => {
  const { begun, left, routes } = waiting();
  await using server = await serving(routes);
  const { socket } = await raw(server, request('GET /wait'));
  await begun;
  socket.destroy();
  await left;
});

test('a client that sends no more and still listens holds nothing for ever', async () => {
  const { begun, left, routes } = waiting();
  await using server = await serving(routes);
  const { socket } = await raw(server, request('GET /wait'));
  await begun;
  socket.end();
  await left;
});

test('a client that takes nothing of a stream is cut off, and little of it has been made', async () => {
  const { seen, routes } = endless();
  await using server = await serving(routes, {}, { patience });
  const socket = connect({ port: server.port, host: '127.0.0.1' });
  socket.on('error', () => {});
  await once(socket, 'connect');
  socket.pause();
  socket.write(request('GET /stream'));
  await seen.left.promise;
  expect(seen.bytes).toBeLessThan(64 << 20); // what the system's buffers take of it
  socket.destroy();
});

test('a client that takes a stream slowly is not', async () => {
  const { seen, routes } = endless();
  await using server = await serving(routes, {}, { patience });
  const socket = connect({ port: server.port, host: '127.0.0.1' });
  await once(socket, 'connect');
  socket.write(request('GET /stream'));
  let taken = 0;
  let closed = false;
  socket.on('close', () => {
    closed = true;
  });
  const begun = performance.now();
  socket.on('data', data => {
    taken += data.length;
    socket.pause();
    setTimeout(() => socket.resume(), 20);
  });
  while (performance.now() - begun < patience * 4000) await once(socket, 'data');
  expect(closed).toBe(false);
  expect(taken).toBeGreaterThan(0);
  socket.destroy();
  await seen.left.promise;
});

test('a stream that fails ends its connection, and prints nothing', async () => {
  const broken = () =>
    new Hono().get('/stream', c => {
      let sent = false;
      const body = new ReadableStream<Uint8Array>({
        pull(controller) {
          if (sent) throw new Error('the patient Jane Doe');
          sent = true;
          controller.enqueue(new TextEncoder().encode('one'));
        },
      });
      return c.body(body);
    });
  const printed: unknown[] = [];
  const { error } = console;
  console.error = (...words: unknown[]) => printed.push(words);
  try {
    await using server = await serving(broken);
    const came = await (await raw(server, request('GET /stream'))).closed;
    expect(came).not.toContain('Jane');
    expect(came).not.toMatch(/\r\n0\r\n\r\n$/);
    expect(printed).toEqual([]);
  } finally {
    console.error = error;
  }
});

test('a thousand connections that say nothing keep no other out for longer than the patience there is', async () => {
  await using server = await serving(echo, {}, { patience, maxConnections: 100 });
  const idle = await Promise.all(
    Array.from({ length: 1000 }, async () => {
      const socket = connect({ port: server.port, host: '127.0.0.1' });
      const closed = new Promise(resolve => socket.once('close', resolve));
      socket.on('error', () => {}).resume();
      await once(socket, 'connect');
      return closed;
    }),
  );
  await Promise.all(idle);
  expect((await answered(server, request('GET /read'))).status).toBe(200);
});

test('closing sends what is being sent, and then ends every connection', async () => {
  const { begun, left, routes } = waiting();
  const server = await serving(routes);
  const { closed } = await raw(server, request('GET /wait'));
  const idle = await raw(server, request('GET /nothing', { Connection: 'keep-alive' }));
  await begun;
  await idle.until('404');
  await server.close();
  await left;
  await closed;
  await idle.closed;
  await expect(raw(server)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
});

test('a port that is taken is a sentence', async () => {
  await using server = await serving(echo);
  await expect(serving(echo, {}, { port: server.port })).rejects.toMatchObject({
    code: 'ERR_OPTION',
    message: `Port ${server.port} of 127.0.0.1 is taken by another program. Choose another \`port\`, or 0 for any that is free`,
  });
  await expect(serving(echo, {}, { host: '192.0.2.1' })).rejects.toMatchObject({ code: 'ERR_OPTION' });
});
