import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { Hono } from 'hono';
import { expect, test } from 'vitest';
import { isLoopback, ownHost } from '../../src/server/safety/host.js';
import { answered, appOf, request, serving } from './parts.js';

const echo = () => new Hono().get('/read', c => c.text('read')).post('/echo', async c => c.json(await c.req.json()));
const json = { 'Content-Type': 'application/json' };

test.each([
  ['127.0.0.1', 200],
  ['127.0.0.1:8080', 200],
  ['localhost', 200],
  ['LOCALHOST:1', 200],
  ['[::1]:8080', 200],
  ['evil.example', 421],
  ['127.0.0.1.evil.example', 421],
  ['localhost.evil.example', 421],
  ['192.168.0.1', 421],
  ['127.0.0.1:8080:8080', 400],
  ['127.0.0.1@evil.example', 400],
  ['evil.example/127.0.0.1', 400],
  ['', 421],
])('a request for the host %j is answered %i', async (Host, status) => {
  await using server = await serving(echo);
  const answer = await answered(server, request('GET /read', { Host }));
  expect(answer.status).toBe(status);
});

test('another address takes bare addresses, its own names and those it is given', async () => {
  const app = appOf(echo, { guard: ownHost('0.0.0.0', ['clinic.example']) });
  const status = async (Host: string) => (await app.request('/read', { headers: { Host } })).status;
  for (const host of ['10.0.0.7:8080', '[fe80::1]', 'localhost', 'Clinic.Example:80'])
    expect(await status(host)).toBe(200);
  for (const host of ['evil.example', 'clinic.example.evil.example']) expect(await status(host)).toBe(421);
});

test.each(['localhost', '::1', '[::1]', '127.0.0.1', '127.8.9.10', '::ffff:127.0.0.1'])(
  '%s is this machine alone',
  address => {
    expect(isLoopback(address)).toBe(true);
  },
);

test.each(['0.0.0.0', '::', '10.0.0.1', 'clinic.example', '127.0.0.1.evil.example'])('%s is not', address => {
  expect(isLoopback(address)).toBe(false);
});

test.each([
  [{}, 200],
  [{ Origin: 'http://127.0.0.1' }, 200],
  [{ Origin: 'https://127.0.0.1' }, 200],
  [{ Origin: 'http://127.0.0.1:81' }, 403],
  [{ Origin: 'http://localhost' }, 403],
  [{ Origin: 'http://evil.example' }, 403],
  [{ Origin: 'null' }, 403],
  [{ Origin: '' }, 403],
  [{ Origin: 'http://127.0.0.1.evil.example' }, 403],
  [{ Origin: 'file://127.0.0.1' }, 403],
  [{ 'Sec-Fetch-Site': 'same-origin' }, 200],
  [{ 'Sec-Fetch-Site': 'none' }, 200],
  [{ 'Sec-Fetch-Site': 'same-site' }, 403],
  [{ 'Sec-Fetch-Site': 'cross-site' }, 403],
  [{ 'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Mode': 'no-cors' }, 403],
])('a POST with %j is answered %i', async (headers, status) => {
  await using server = await serving(echo);
  const sent = request('POST /echo', { ...json, ...headers, 'Content-Length': 2 }, '{}');
  expect((await answered(server, sent)).status).toBe(status);
});

test('following a link from elsewhere is let through to read, and only so', async () => {
  const followed = { 'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Mode': 'navigate', 'Sec-Fetch-Dest': 'document' };
  await using server = await serving(echo);
  expect((await answered(server, request('GET /', followed))).status).toBe(200);
  const form = request('POST /echo', { ...json, ...followed, 'Content-Length': 2 }, '{}');
  expect((await answered(server, form)).status).toBe(403);
});

test.each([
  'text/plain',
  'application/x-www-form-urlencoded',
  'multipart/form-data; boundary=x',
  'text/plain; application/json',
  'application/jsonp',
  '',
])('a POST of %j, which a form could send, is refused', async type => {
  await using server = await serving(echo);
  const sent = request('POST /echo', { 'Content-Type': type, 'Content-Length': 2 }, '{}');
  expect((await answered(server, sent)).status).toBe(415);
});

test('a preflight of another site gets no leave', async () => {
  await using server = await serving(echo);
  const sent = { Origin: 'http://evil.example', 'Access-Control-Request-Method': 'POST' };
  const { status, head } = await answered(server, request('OPTIONS /echo', sent));
  expect(status).toBe(403);
  expect(head.toLowerCase()).not.toContain('access-control');
});

test('a body that is too large is refused, whether its length is said or not', async () => {
  await using server = await serving(echo);
  const said = request('POST /echo', { ...json, 'Content-Length': 1 << 30 });
  expect((await answered(server, said)).status).toBe(413);
  const chunk = `1000\r\n${'x'.repeat(0x1000)}\r\n`;
  const chunked = request('POST /echo', { ...json, 'Transfer-Encoding': 'chunked' }, `${chunk.repeat(8)}0\r\n\r\n`);
  const { status, body } = await answered(server, chunked);
  expect(status).toBe(413);
  expect(JSON.parse(body)).toMatchObject({ error: { code: 'ERR_REQUEST', type: 'invalid_request_error' } });
});

test.each([
  ['{"a":', /character|JSON/],
  ['', /JSON/],
  ['{} {}', /JSON/],
  [`${'['.repeat(5000)}${']'.repeat(4999)}`, /deep/],
  [`{"a":${'{"a":'.repeat(65)}1${'}'.repeat(66)}`, /deep/],
  ['\u00ff\u0000'.repeat(3), /JSON/],
])('a body that is no JSON to be used is refused: %#', async (body, why) => {
  await using server = await serving(echo);
  const sent = request('POST /echo', { ...json, 'Content-Length': Buffer.byteLength(body) }, body);
  const answer = await answered(server, sent);
  expect(answer.status).toBe(400);
  expect(JSON.parse(answer.body).error.message).toMatch(why);
});

test('a body that is packed is refused as what it is', async () => {
  const headers = { ...json, 'Content-Encoding': 'gzip' };
  const response = await appOf(echo).request('/echo', { method: 'POST', headers, body: gzipSync('{}') });
  expect(response.status).toBe(415);
  expect(await response.text()).toContain('Content-Encoding');
});

test('a body that is not UTF-8 is refused', async () => {
  const response = await appOf(echo).request('/echo', {
    method: 'POST',
    headers: json,
    body: Buffer.from([0x22, 0xff, 0x22]),
  });
  expect(response.status).toBe(400);
});

test('what is said of a body that is no JSON quotes nothing of it', async () => {
  await fc.assert(
    fc.asyncProperty(fc.string({ maxLength: 40 }), async text => {
      const body = `{"prompt": "Jane Doe ${text.replaceAll('}', '')}`;
      const response = await appOf(echo).request('/echo', { method: 'POST', headers: json, body });
      const said = await response.text();
      expect(said).not.toContain('Jane');
    }),
  );
});

test('whatever JSON is sent comes to the handler as it is', async () => {
  const app = appOf(echo);
  await fc.assert(
    fc.asyncProperty(fc.json({ maxDepth: 6 }), async body => {
      const response = await app.request('/echo', { method: 'POST', headers: json, body });
      expect(response.status).toBe(200);
      expect(await response.json()).toEqual(JSON.parse(body));
    }),
  );
});

test.each([
  '/../package.json',
  '/%2e%2e/package.json',
  '/..%2fpackage.json',
  '/assets/../../package.json',
  '//etc/passwd',
  '/..\\package.json',
])('the path %s leads to no file', async path => {
  await using server = await serving(echo);
  const { status, body } = await answered(server, request(`GET ${path}`));
  expect([400, 404]).toContain(status);
  expect(body).not.toContain('meditron"');
});
