import { Hono } from 'hono';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { EngineDied } from '../../src/check/died.js';
import { type ErrorCode, exitCodes, MeditronError } from '../../src/check/errors.js';
import { RequestError } from '../../src/server/error.js';
import { unknownModel } from '../../src/server/pool/names.js';
import { type ServerApp, serverApp } from '../../src/server/server.js';
import { appOf, pageKey } from './parts.js';

const failing = (error: unknown) =>
  appOf(({ pageOnly, isPage }) =>
    new Hono()
      .get('/fails', () => {
        throw error;
      })
      .post('/echo', async c => c.json(await c.req.json()))
      .get('/who', c => c.json({ page: isPage(c) }))
      .get('/page', pageOnly, c => c.json({ ok: true })),
  );

test('an error of ours is answered in the form that clients of OpenAI know', async () => {
  const response = await failing(unknownModel('gpt-4', ['meditron-mini'])).request('/fails');
  expect(response.status).toBe(404);
  expect(await response.json()).toEqual({
    error: {
      message: 'Expected `model` to be one of meditron-mini, got "gpt-4"',
      type: 'not_found_error',
      param: 'model',
      code: 'ERR_UNKNOWN_MODEL',
    },
  });
});

test('the engine that died is 503 with the reason, to be tried again', async () => {
  const death = { signal: 'SIGSEGV', exitCode: null, phase: 'decode', external: false, unresponsive: false } as const;
  const died = new EngineDied({
    ...death,
    model: { path: 'a.gguf', sha256: null },
    devices: ['CPU'],
    lastLines: ['GGML_ASSERT'],
  });
  const response = await failing(died).request('/fails');
  expect(response.status).toBe(503);
  expect(response.headers.get('Retry-After')).toBe('1');
  expect(await response.json()).toMatchObject({
    error: { code: 'ERR_ENGINE_DIED', message: expect.stringContaining('SIGSEGV'), details: ['GGML_ASSERT'] },
  });
});

test('every code has a status, and every body the four fields', async () => {
  for (const code of Object.keys(exitCodes) as ErrorCode[]) {
    const response = await failing(new MeditronError(code, 'Why')).request('/fails');
    expect(response.status, code).toBeGreaterThanOrEqual(400);
    expect(await response.json()).toEqual({
      error: {
        message: 'Why',
        type: expect.stringMatching(/_error$/),
        param: code === 'ERR_UNKNOWN_MODEL' ? 'model' : null,
        code,
      },
    });
  }
});

test('an option that is wrong is named', async () => {
  const error = new MeditronError('ERR_OPTION', 'Expected `maxTokens` to be an integer >= 1, got "a" (string)');
  const response = await failing(error).request('/fails');
  expect(await response.json()).toMatchObject({ error: { param: 'maxTokens', type: 'invalid_request_error' } });
});

test('a fault of ours says nothing of what it was about', async () => {
  const response = await failing(new Error('the patient Jane Doe')).request('/fails');
  expect(response.status).toBe(500);
  expect(await response.text()).not.toContain('Jane');
});

test('a refusal brings its own headers', async () => {
  const response = await failing(new RequestError(429, 'Later', null, { 'Retry-After': '7' })).request('/fails');
  expect(response.headers.get('Retry-After')).toBe('7');
});

test.each([
  [undefined, 401],
  [`Bearer ${pageKey}`, 200],
  [`bearer ${pageKey}`, 200],
  [`Bearer ${pageKey}x`, 401],
  ['Bearer ', 401],
  [`Basic ${pageKey}`, 401],
  [pageKey, 401],
])('with %s what asks for the key of the page answers %i', async (header, status) => {
  const app = failing(undefined);
  const init = header === undefined ? {} : { headers: { Authorization: header } };
  const response = await app.request('/page', init);
  expect(response.status).toBe(status);
  expect(response.headers.has('WWW-Authenticate')).toBe(status === 401);
  expect(await (await app.request('/who', init)).json()).toEqual({ page: status === 200 });
});

test.each([
  ['/nothing', 404, null],
  ['/health', 405, 'GET'],
  ['/echo', 200, null],
])('POST %s answers %i', async (path, status, allow) => {
  const init = { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '{}' };
  const response = await failing(undefined).request(path, init);
  expect(response.status).toBe(status);
  expect(response.headers.get('Allow')).toBe(allow);
});

test('every answer forbids to be kept, framed, sniffed and read by others, and none has a header of CORS', async () => {
  for (const path of ['/', '/health', '/metrics', '/nothing', '/fails']) {
    const { headers } = await failing(new Error('a fault')).request(path, {
      headers: { 'Sec-Fetch-Site': 'same-origin' },
    });
    expect(headers.get('X-Content-Type-Options'), path).toBe('nosniff');
    expect(headers.get('Cross-Origin-Resource-Policy'), path).toBe('same-origin');
    expect(headers.get('Content-Security-Policy'), path).toContain("frame-ancestors 'none'");
    expect(headers.get('Cache-Control'), path).toBe(path === '/' ? 'no-cache' : 'no-store');
    expect([...headers.keys()].filter(name => name.startsWith('access-control'))).toEqual([]);
  }
});

test('with a key, everything but the page’s files and health asks for it; the page’s own does as well', async () => {
  const key = 'a-key-for-programs';
  const app = appOf(
    ({ pageOnly }) => new Hono().get('/v1/models', c => c.json([])).get('/files', pageOnly, c => c.json([])),
    {
      access: { key, maxBody: 1000 },
    },
  );
  const status = async (path: string, sent?: string) =>
    (await app.request(path, sent ? { headers: { Authorization: `Bearer ${sent}` } } : {})).status;
  expect([await status('/'), await status('/health')]).toEqual([200, 200]);
  for (const path of ['/v1/models', '/metrics', '/nothing']) expect(await status(path), path).toBe(401);
  expect([await status('/v1/models', key), await status('/v1/models', pageKey)]).toEqual([200, 200]);
  expect([await status('/files', key), await status('/files', pageKey)]).toEqual([401, 200]);
});

test('an exact server takes no settings that are not', async () => {
  for (const engine of [{ kvType: 'q8_0' }, { flashAttention: 'auto' }] as const)
    await expect(serverApp({ exact: true, engine })).rejects.toMatchObject({ code: 'ERR_OPTION' });
});

describe('addresses', () => {
  let app: ServerApp;
  beforeAll(async () => {
    app = await serverApp();
  });
  afterAll(() => app.close());
  const get = (path: string) => app.fetch(new Request(`http://localhost${path}`));

  test('may end with a slash', async () => {
    for (const path of ['/v1/models', '/health', '/openapi.json', '/metrics', '/v1/models/meditron-mini']) {
      const [plain, slashed] = await Promise.all([get(path), get(`${path}/`)]);
      expect([plain.status, slashed.status], path).toEqual([200, 200]);
      if (path !== '/metrics') expect(await slashed.text()).toBe(await plain.text());
    }
    const post = { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '{"prompt":7}' };
    for (const path of ['/v1/chat/completions/', '/v1/completions/', '/tokenize/', '/v1/meditron/ask/'])
      expect((await app.fetch(new Request(`http://localhost${path}`, post))).status, path).toBe(400);
  });

  test('of a model may have slashes, as its name may', async () => {
    for (const path of ['/v1/models/a/b', '/v1/models/a%2Fb'])
      expect(await (await get(path)).json()).toMatchObject({
        error: { code: 'ERR_UNKNOWN_MODEL', message: expect.stringContaining('"a/b"') },
      });
  });

  test.each([
    ['/v1/responses', '/v1/chat/completions'],
    ['/v1/responses/resp_1', '/v1/chat/completions'],
    ['/v1/embeddings', 'text'],
    ['/v1/messages', '/v1/chat/completions'],
    ['/api/chat', '/v1/chat/completions'],
    ['/api/tags', '/v1/models'],
    ['/chat/completions', '/v1'],
    ['/v1/v1/models', '/v1'],
    ['/nowhere', '/openapi.json'],
  ])('of another interface, as %s, say what there is instead: %s', async (path, meant) => {
    for (const method of ['GET', 'POST']) {
      const headers = { 'Content-Type': 'application/json' };
      const request = { method, headers, ...(method === 'POST' && { body: '{}' }) };
      const response = await app.fetch(new Request(`http://localhost${path}`, request));
      expect(response.status).toBe(404);
      expect(await response.json()).toMatchObject({
        error: { type: 'not_found_error', message: expect.stringContaining(meant) },
      });
    }
  });
});
