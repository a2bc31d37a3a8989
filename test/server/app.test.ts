import { Hono } from 'hono';
import { expect, test } from 'vitest';
import { EngineDied } from '../../src/check/died.js';
import { MeditronError } from '../../src/check/errors.js';
import { makeApp } from '../../src/server/app.js';
import { unknownModel } from '../../src/server/pool/names.js';
import type { Pool } from '../../src/server/pool/pool.js';
import { requireKey } from '../../src/server/safety/key.js';

const failing = (error: unknown) =>
  makeApp({
    pool: undefined as unknown as Pool,
    pageOnly: requireKey('secret', 'This reads files'),
    routes: [
      ({ pageOnly }) =>
        new Hono()
          .get('/fails', () => {
            throw error;
          })
          .get('/page', pageOnly, c => c.json({ ok: true })),
    ],
  });

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
  const died = new EngineDied({ ...death, model: { path: 'a.gguf', sha256: null }, devices: ['CPU'], lastLines: [] });
  const response = await failing(died).request('/fails');
  expect(response.status).toBe(503);
  expect(response.headers.get('Retry-After')).toBe('1');
  expect(await response.json()).toMatchObject({
    error: { code: 'ERR_ENGINE_DIED', message: expect.stringContaining('SIGSEGV') },
  });
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

test.each([
  [undefined, 401],
  ['Bearer secret', 200],
  ['bearer secret', 200],
  ['Bearer secreT', 401],
  ['Bearer ', 401],
  ['Basic secret', 401],
])('with %s what asks for the key answers %i', async (header, status) => {
  const response = await failing(undefined).request('/page', header ? { headers: { Authorization: header } } : {});
  expect(response.status).toBe(status);
});
