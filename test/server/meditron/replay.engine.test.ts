import { afterAll, beforeAll, expect, test } from 'vitest';
import { sealed } from '../../../src/check/seal.js';
import { allOf, type Json, jsonOf, question, type Served, served } from './served.js';

let server: Served;
let answer: Json;
let record: Json;
beforeAll(async () => {
  server = await served();
  answer = await jsonOf(server.send('POST', 'ask', { question, seed: 7, samples: 3, stop: 'none' }));
  record = answer.evidence;
});
afterAll(() => server[Symbol.asyncDispose]());

const replay = (body: object, events = true) => server.send('POST', 'replay', body, { events });

test('a record is run again and comes out the same, with what happens meanwhile', async () => {
  const sent = await allOf(replay({ record }));
  expect(sent.at(-1)!.event).toMatchObject({ type: 'replayed', replay: { same: true, difference: null } });
  expect(sent.map(({ event }) => event.type)).toEqual(expect.arrayContaining(['plan', 'prompt', 'text', 'vote']));
  expect(await jsonOf(replay({ record: answer }, false))).toMatchObject({ same: true });
});

test('a record is checked without running anything', async () => {
  const check = await jsonOf(server.send('POST', 'records', { record }));
  expect(check).toMatchObject({ evidence: record, contradiction: null, model: 'meditron-mini', sameFile: true });
});

test('a record that was changed is refused; one that was sealed again is found to contradict itself', async () => {
  const changed = { ...record, created: '2026-01-01T00:00:00.000Z' };
  for (const route of ['replay', 'records']) {
    const response = await server.send('POST', route, { record: changed });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({
      error: { code: 'ERR_INPUT', message: expect.stringMatching(/changed/) },
    });
  }
  const forged = sealed({ ...record, questionSha256: '0'.repeat(64) });
  expect(await jsonOf(replay({ record: forged }, false))).toMatchObject({ same: false, answer: null });
  expect(await jsonOf(server.send('POST', 'records', { record: forged }))).toMatchObject({
    contradiction: { same: false },
  });
});

test.each([
  ['no record', {}],
  ['another thing', { record: 'a' }],
  ['a misspelt field', { record: {}, modle: 'a' }],
])('%s is refused', async (_, body) => {
  expect((await replay(body)).status).toBe(400);
});

test('a record that names files, as adapters, is for the page alone', async () => {
  const loras = [{ path: '/etc/passwd', scale: 1 }];
  const named = sealed({ ...record, engine: { ...record.engine, loras } });
  const headers = { Authorization: 'Bearer another' };
  expect((await server.send('POST', 'replay', { record: named }, { headers })).status).toBe(401);
});
