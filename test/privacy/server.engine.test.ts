import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { model, start } from '../cli/command.js';
import { childrenOf, hasProc } from '../cli/processes.js';
import { held, holdAt, holdable } from '../host/hold.js';
import { allOf, eventsOf, newId } from '../server/meditron/served.js';
import { found, marker } from './markers.js';

const sandbox = mkdtempSync(join(tmpdir(), 'meditron-served-'));
afterAll(() => rmSync(sandbox, { recursive: true, force: true, maxRetries: 5 }));
const [state, temporary, given] = ['state', 'tmp', 'given'].map(name => {
  mkdirSync(join(sandbox, name));
  return join(sandbox, name);
}) as [string, string, string];

const filesIn = (folder: string) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath, entry.name));

test('what is asked of the server is in no file and no stream of it: answered, refused, stopped, watched again, or under an engine that dies', async () => {
  const hold = join(given, 'hold');
  const env = { MEDITRON_STATE: state, TMPDIR: temporary, TEMP: temporary, TMP: temporary, ...holdable(hold) };
  const args = ['serve', '--port', '0', '--json', '--gpu-layers', '0', '--threads', '1', '-m', model];
  const { child, ended } = start(args, { env });
  const { url, page } = JSON.parse((await once(child.stdout!, 'data'))[0]) as Record<string, string>;
  const key = page!.split('#key=')[1]!;
  const planted: Record<string, string> = {};
  const plant = (name: string) => (planted[name] = marker());
  const send = (method: string, path: string, body?: unknown, accept = 'application/json') =>
    fetch(`${url}/v1/meditron/${path}`, {
      method,
      headers: { Authorization: `Bearer ${key}`, 'Content-Type': 'application/json', Accept: accept },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
  const events = (path: string, body: unknown) => send('POST', path, body, 'text/event-stream');
  const ask = (name: string) => ({
    question: { kind: 'choice', question: plant(name), options: [plant(`${name}, option`), 'two'] },
    ...{ format: 'raw', samples: 2, stop: 'none', maxTokens: 100 },
  });

  await send('POST', 'read', { text: `${plant('read')}\nA. one\nB. two\nAnswer: ${plant('key')}` });
  const answer = (await (await send('POST', 'ask', ask('asked'))).json()) as { samples: { text: string }[] };
  for (const [i, { text }] of answer.samples.entries()) if (text.length >= 24) planted[`answer ${i}`] = text;
  await send('POST', 'ask', { ...ask('refused'), mode: plant('a mode') });
  await send('POST', 'ask', `{"question": "${plant('no JSON')}`);
  const long = { kind: 'open', question: `${plant('too long')} `.repeat(1000) };
  const full = await allOf(await events('ask', { ...ask('long'), question: long, id: newId() }));
  expect(full.at(-1)!.event).toMatchObject({ type: 'failed', error: { code: 'ERR_CONTEXT_FULL' } });
  await send('POST', 'replay', { record: { ...answer, evidence: { question: plant('no record') } } });
  expect((await allOf(await events('replay', { record: answer }))).at(-1)!.event.type).toBe('replayed');
  await send('POST', 'chat/room', { messages: [{ role: 'user', content: plant('conversation') }], format: 'chatml' });
  await send('POST', 'history/entries', { kind: 'ask', title: plant('title'), data: plant('entry') });
  await send('POST', 'history', { on: true, passphrase: 'a passphrase', other: plant('misspelt') });
  const id = newId();
  for await (const { event } of eventsOf(await events('ask', { ...ask('left'), id }))) if (event.type === 'text') break;
  await send('DELETE', `asks/${id}`);
  if (hasProc) {
    holdAt(hold, 'text');
    const died = events('ask', ask('died')).then(allOf);
    await held(hold);
    for (const pid of childrenOf(child.pid!)) process.kill(pid, 'SIGKILL');
    expect((await died).at(-1)!.event.type).toBe('failed');
  }

  const questions = join(given, 'questions.jsonl');
  writeFileSync(questions, `${JSON.stringify({ question: plant('evaluated'), options: ['a', 'b'], answer: 'A' })}\n`);
  const asked = await send('POST', 'runs', { file: questions, format: 'raw', modes: ['cot'], maxTokens: 20 });
  const run = (await asked.json()) as { id: string };
  const ran = await allOf(await send('GET', `runs/${run.id}`, undefined, 'text/event-stream'));
  expect(ran.at(-1)!.event).toMatchObject({ type: 'ended', run: { state: 'done' } });
  await fetch(`${url}/v1/${plant('an address')}`);

  child.kill('SIGTERM');
  const { stdout, stderr } = await ended;
  const streams = Object.entries({ stdout, stderr }).flatMap(([name, text]) =>
    found(text, planted).map(what => `${name}: ${what}`),
  );
  const files = [...filesIn(state), ...filesIn(temporary)];
  const leaks = files.flatMap(path => found(readFileSync(path), planted).map(what => `${path}: ${what}`));
  expect([...streams, ...leaks]).toEqual([]);
  expect(readdirSync(temporary)).toEqual([]);
});
