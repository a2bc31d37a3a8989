import { mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { packageVersion } from '../../../src/check/project.js';
import { hashFile } from '../../../src/models/hash.js';
import { inspectFile } from '../../../src/models/inspect.js';
import { allOf, type Json, jsonOf, mini, type Served, served, stories } from './served.js';

let server: Served;
beforeAll(async () => {
  server = await served();
});
afterAll(() => server[Symbol.asyncDispose]());

const send = (...given: Parameters<Served['send']>) => server.send(...given);
const unknown = { headers: { Authorization: 'Bearer another' } };

test('the state says what the model is, how that is known, whether it fits, and where it lies only to the page', async () => {
  const state = await jsonOf(send('GET', 'state'));
  expect(state).toMatchObject({ version: packageVersion(), features: { files: true, history: false } });
  expect(state.machine.cores).toBeGreaterThan(0);
  const [model] = state.models;
  expect(model).toMatchObject({
    ...{ name: 'meditron-mini', path: mini, state: 'loaded', demonstration: true, chats: true, problems: [] },
    format: { format: 'chatml', by: 'name' },
    fits: { fits: 'yes', samples: 4 },
    speed: null,
    measured: [],
  });
  const { sizeBytes, parameters } = await inspectFile(mini);
  expect(model).toMatchObject({ sizeBytes, parameters });
  const told = await jsonOf(send('GET', 'state', undefined, unknown));
  expect(told).toMatchObject({ features: { files: false }, models: [{ name: 'meditron-mini', path: null }] });
  expect(JSON.stringify(told)).not.toContain(dirname(mini));
});

test('a model is hashed on request, and what ships is known by it', async () => {
  const sent = await allOf(send('POST', 'models/meditron-mini/hash', {}, { events: true }));
  const sha256 = await hashFile(mini);
  expect(sent.at(-1)!.event).toEqual({ type: 'hashed', hash: { sha256, known: 'verified' } });
  expect(sent.at(0)!.event.type).toBe('hashing');
  expect((await jsonOf(send('GET', 'models')))[0].hash).toEqual({ sha256, known: 'verified' });
});

test('its speed is measured on the engine that answers, and kept while the server lives', async () => {
  const sent = await allOf(send('POST', 'models/meditron-mini/measure', {}, { events: true }));
  expect(sent.map(({ event }) => event.what ?? event.type)).toEqual(['loading', 'prompt', 'one', 'five', 'measured']);
  const { speed } = sent.at(-1)!.event;
  for (const name of ['one', 'five', 'prompt', 'questionSeconds']) expect(speed[name]).toBeGreaterThan(0);
  expect((await jsonOf(send('GET', 'models')))[0].speed).toEqual(speed);
});

test('a file is inspected for the page alone, a served model for everybody, without its folder', async () => {
  expect(await jsonOf(send('POST', 'inspect', { path: stories }))).toEqual(await inspectFile(stories));
  expect((await send('POST', 'inspect', { path: stories }, unknown)).status).toBe(401);
  const told = await jsonOf(send('POST', 'inspect', { model: 'meditron-mini' }, unknown));
  expect(told).toMatchObject({ path: basename(mini), files: [{ path: basename(mini) }], architecture: 'llama' });
});

test.each([
  ['a file that is not there', '/nowhere/a.gguf', 'ERR_MODEL_FILE'],
  ['a file that is no model', import.meta.filename, 'ERR_MODEL_FORMAT'],
])('%s is the fault of the request', async (_, path, code) => {
  for (const route of ['models', 'inspect']) {
    const response = await send('POST', route, { path });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: { code, param: 'path' } });
  }
});

test('folders are listed for the page alone: folders, models by their first part, files of questions', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'meditron-files-'));
  mkdirSync(join(folder, 'sub'));
  symlinkSync(join(folder, 'nowhere'), join(folder, 'broken.gguf'));
  const names = ['b.gguf', 'a-00001-of-00002.gguf', 'a-00002-of-00002.gguf', 'q.jsonl', 'letter.docx', '.hidden.gguf'];
  for (const name of names) writeFileSync(join(folder, name), 'x');
  const url = `files?folder=${encodeURIComponent(folder)}`;
  const state = await jsonOf(send('GET', url));
  expect(state.entries.map(({ name, kind }: Json) => [name, kind])).toEqual([
    ['sub', 'folder'],
    ['a-00001-of-00002.gguf', 'model'],
    ['b.gguf', 'model'],
    ['q.jsonl', 'questions'],
  ]);
  expect(state).toMatchObject({ folder, parent: dirname(folder), cut: false });
  expect((await send('GET', url, undefined, unknown)).status).toBe(401);
  expect((await send('GET', `files?folder=${folder}/none`)).status).toBe(400);
  expect((await jsonOf(send('GET', 'files'))).places.length).toBeGreaterThan(0);
});

test('a conversation’s room is what its prompt leaves of the context', async () => {
  const turn = (content: string) => [{ role: 'user', content }];
  const short = await jsonOf(send('POST', 'chat/room', { messages: turn('What is sepsis?') }));
  const long = await jsonOf(send('POST', 'chat/room', { messages: turn('What is sepsis? '.repeat(10)) }));
  expect(short.context).toBe(2048);
  expect(short.used + short.left).toBe(short.context);
  expect(long.used).toBeGreaterThan(short.used);
  expect(short.words).toBeLessThan(short.left);
  const chat = await server.completions({ messages: turn('What is sepsis?'), max_tokens: 1 });
  expect(chat.usage.prompt_tokens).toBe(short.used);
  expect((await send('POST', 'chat/room', { messages: [] })).status).toBe(400);
  expect((await send('POST', 'chat/room', { messages: turn('a'), format: 'few-shot' })).status).toBe(400);
});
