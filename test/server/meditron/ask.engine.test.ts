import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { askStream } from '../../../src/ask/ask.js';
import type { AskEvent } from '../../../src/ask/types.js';
import { allOf, eventsOf, type Json, jsonOf, newId, question, type Send, type Served, served, text } from './served.js';

let server: Served;
beforeAll(async () => {
  server = await served();
});
afterAll(() => server[Symbol.asyncDispose]());

const ask = (body: object, more: Parameters<Send>[3] = { events: true }) => server.send('POST', 'ask', body, more);
const settings = { samples: 5, seed: 7, stop: 'none', hash: false } as const;
const plain = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;
/** What differs from one asking to the next. */
const timeless = (answer: { evidence: object }) => ({
  ...answer,
  evidence: { ...answer.evidence, created: '', cost: '', sha256: '', engine: '' },
});

test('the stream is that of the library, between the question as it was read and the answer', async () => {
  const engine = await server.model.createEngine({ threads: 1, contextSize: 4096, maxSequences: 8 });
  const expected: AskEvent[] = [];
  const stream = askStream(engine, question, settings);
  let next = await stream.next();
  for (; !next.done; next = await stream.next()) expected.push(next.value);
  await engine.close();

  await using fresh = await served();
  const response = await fresh.send('POST', 'ask', { question, ...settings }, { events: true });
  expect(response.headers.get('Content-Type')).toMatch(/^text\/event-stream/);
  const sent = await allOf(response);
  expect(sent.map(({ id }) => id)).toEqual(sent.map((_, i) => i + 1));
  const [asked, ...events] = sent.map(({ event }) => event);
  const last = events.pop();
  expect(asked).toMatchObject({
    type: 'asked',
    id: null,
    model: 'meditron-mini',
    question,
    reading: null,
    loaded: true,
  });
  // How often a prompt's progress is told depends on how fast it is.
  const prompts = (from: readonly Json[]) => from.filter(({ type }) => type === 'prompt');
  const others = (from: readonly Json[]) => from.filter(({ type }) => type !== 'prompt');
  expect(others(events)).toEqual(others(plain(expected)));
  expect(prompts(events).at(-1)).toEqual(prompts(plain(expected)).at(-1));
  expect(last.type).toBe('answer');
  expect(timeless(last.answer)).toEqual(timeless(plain(next.value)));
});

test('without a stream the answer alone comes, and a text is read as it is by the command', async () => {
  const response = await ask({ text, ...settings, mode: 'cot' }, {});
  expect(response.headers.get('Content-Type')).toMatch(/^application\/json/);
  expect(await response.json()).toMatchObject({ votes: { notRun: 0 }, evidence: { question } });
});

test('a reload in the middle goes on behind the last event, and two tabs see the same', async () => {
  const id = newId();
  const first = [];
  for await (const sent of eventsOf(await ask({ question, ...settings, id }))) {
    first.push(sent);
    if (sent.event.type === 'text') break;
  }
  const url = `asks/${id}`;
  const after = { 'Last-Event-ID': String(first.at(-1)!.id) };
  const [rest, other, again] = await Promise.all([
    allOf(server.send('GET', url, undefined, { events: true, headers: after })),
    allOf(server.send('GET', url, undefined, { events: true })),
    allOf(ask({ question, ...settings, id })),
  ]);
  expect([...first, ...rest]).toEqual(other);
  expect(again).toEqual(other);
  expect(other.at(-1)!.event.type).toBe('answer');
  const state = await jsonOf(server.send('GET', url));
  expect(state).toMatchObject({ id, state: 'answered', watchers: 0, events: other.length });
  expect(state.answer).toEqual(other.at(-1)!.event.answer);
});

test('another question under the same id is refused, and one that nobody knows is not found', async () => {
  const id = newId();
  await allOf(await ask({ question, ...settings, mode: 'top-token', samples: undefined, id }));
  const other = await ask({ question, seed: 8, id });
  expect(other.status).toBe(409);
  expect(await other.json()).toMatchObject({ error: { param: 'id', code: 'ERR_REQUEST' } });
  expect((await server.send('GET', `asks/${newId()}`)).status).toBe(404);
  expect((await ask({ question, id: 'short' })).status).toBe(400);
});

test('stopped in the middle, what there is comes as the answer to every watcher; stopped again it is forgotten', async () => {
  const id = newId();
  const url = `asks/${id}`;
  const stop = () => server.send('DELETE', url);
  const sent: Json[] = [];
  for await (const { event } of eventsOf(await ask({ question, ...settings, samples: 32, id }))) {
    sent.push(event);
    if (event.type === 'vote' && sent.filter(({ type }) => type === 'vote').length === 1)
      expect(await jsonOf(stop())).toEqual({ id, state: 'stopping' });
  }
  const { answer } = sent.at(-1);
  expect(answer).toMatchObject({ reason: 'aborted', vote: { stoppedBy: 'aborted' } });
  expect(answer.samples.length).toBeGreaterThan(0);
  expect(answer.votes.notRun).toBeGreaterThan(0);
  expect(await jsonOf(stop())).toEqual({ id, state: 'forgotten' });
  expect((await stop()).status).toBe(404);
});

test('a client that leaves frees the engine; an ask that has an id goes on for a while', async () => {
  await using patient = await served();
  await using hasty = await served({}, {}, { patience: { unwatchedMs: 20 } });
  const begin = async (on: Served, body: object) => {
    const response = await on.send('POST', 'ask', { ...body, ...settings, samples: 64 }, { events: true });
    for await (const { event } of eventsOf(response)) if (event.type === 'text') return;
  };
  const id = newId();
  const url = `asks/${id}`;
  await begin(patient, { question, id });
  expect(await jsonOf(patient.send('GET', url))).toMatchObject({ state: 'running', watchers: 0 });
  await begin(hasty, { question });
  await begin(hasty, { question, id });
  while ((await hasty.send('GET', url)).status !== 404) await delay(5);
  expect(await jsonOf(hasty.send('GET', 'asks'))).toMatchObject({ running: 0, ended: 0 });
  // Both are gone from the engine: a lease for all of it is to be had.
  const answer = await hasty.send('POST', 'ask', { question, ...settings, mode: 'cot' });
  expect(answer.status).toBe(200);
});

test('a client that waits for JSON and leaves cancels it', async () => {
  const leaving = new AbortController();
  const response = ask({ question, ...settings, samples: 64 }, { signal: leaving.signal });
  await delay(20);
  leaving.abort();
  expect((await response).status).toBe(499);
});

test.each([
  ['neither text nor question', { seed: 1 }, 'text', 'ERR_OPTION'],
  ['both', { text, question }, 'text', 'ERR_OPTION'],
  ['an empty question', { text: ' \n ' }, null, 'ERR_INPUT'],
  ['a text that is none', { text: 5 }, 'text', 'ERR_OPTION'],
  ['a question that is none', { question: [] }, null, 'ERR_INPUT'],
  ['a question with a misspelt key', { question: { question: 'a?', option: ['b', 'c'] } }, null, 'ERR_INPUT'],
  ['a misspelt option', { question, sample: 5 }, null, 'ERR_OPTION'],
  ['a number as text', { question, samples: '5' }, 'samples', 'ERR_OPTION'],
  ['a signal', { question, signal: {} }, 'signal', 'ERR_OPTION'],
  ['another model', { question, model: 'gpt-4' }, 'model', 'ERR_UNKNOWN_MODEL'],
  ['a question that is too long', { question: { question: 'x'.repeat(1_000_001) } }, null, 'ERR_INPUT'],
])('%s is refused before anything runs', async (_, body, param, code) => {
  const response = await ask(body);
  expect(response.status).toBe(code === 'ERR_UNKNOWN_MODEL' ? 404 : 400);
  expect(await response.json()).toMatchObject({ error: { param, code } });
});

test('a body that is no JSON object is refused, and nothing of it is quoted', async () => {
  for (const body of ['{"question": "Jane Doe', '["Jane Doe"]', 'null', '']) {
    const response = await server.send('POST', 'ask', body);
    expect(response.status).toBe(400);
    expect(await response.text()).not.toContain('Jane');
  }
});

test('a question that has no room in the context fails in the stream, with the numbers', async () => {
  const response = await ask({ question: { question: 'fever and '.repeat(20_000) }, ...settings, mode: 'free' });
  const sent = await allOf(response);
  expect(sent.at(-1)!.event).toMatchObject({
    type: 'failed',
    error: { code: 'ERR_CONTEXT_FULL', type: 'invalid_request_error' },
  });
});

test('the engine that is killed in the middle is told with the reason, and the next ask works', async () => {
  await using isolated = await served({ isolate: true });
  const { pid } = isolated.model as unknown as { pid: number };
  const askIt = (more: object) => isolated.send('POST', 'ask', { question, ...settings, ...more }, { events: true });
  const sent: Json[] = [];
  for await (const { event } of eventsOf(await askIt({ samples: 32 }))) {
    if (event.type === 'vote' && !sent.some(({ type }) => type === 'vote')) process.kill(pid, 'SIGKILL');
    sent.push(event);
  }
  expect(sent.at(-1)).toMatchObject({
    type: 'failed',
    error: { code: 'ERR_ENGINE_DIED', type: 'server_error', message: expect.stringContaining('SIGKILL') },
  });
  // What had finished is a record of its own.
  const { type, evidence } = sent.at(-2);
  expect(type).toBe('unfinished');
  expect(evidence.samples.length).toBeGreaterThan(0);
  expect(evidence.samples.length).toBeLessThan(32);
  const replay = await jsonOf(isolated.send('POST', 'replay', { record: evidence }));
  expect(replay).toMatchObject({ same: true, summary: expect.stringContaining('that had finished') });
});
