import { mkdtempSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { makeApp } from '../../../src/server/app.js';
import { historyRoutes } from '../../../src/server/meditron/history/routes.js';
import { History } from '../../../src/server/meditron/history/store.js';
import type { Pool } from '../../../src/server/pool/pool.js';
import { type Json, jsonOf, key, type Send, sendTo } from './served.js';

const newFolder = () => join(mkdtempSync(join(tmpdir(), 'meditron-history-')), 'history');
/** A server that has just been started, on a folder. */
const started = (folder: string | undefined): Send => {
  const routes = [
    ({ pageOnly }: Parameters<Parameters<typeof makeApp>[0]['routes'][0]>[0]) =>
      historyRoutes(pageOnly, new History(folder)),
  ];
  return sendTo(makeApp({ pool: undefined as unknown as Pool, pageKey: key, routes }));
};
const entry = (title: string) => ({ kind: 'ask', title, data: { text: `about ${title}` } });
const filesIn = (folder: string) =>
  readdirSync(folder)
    .sort()
    .map(name => readFileSync(join(folder, name), 'utf8'));
const titles = (items: Json) => items.map(({ title }: Json) => title);

test('it is off until it is turned on: nothing is written, and nothing taken', async () => {
  const folder = newFolder();
  const send = started(folder);
  expect(await jsonOf(send('GET', 'history'))).toMatchObject({
    on: false,
    encrypted: false,
    locked: false,
    entries: 0,
  });
  expect((await send('POST', 'history/entries', entry('Jane'))).status).toBe(409);
  expect(() => readdirSync(folder)).toThrow('ENOENT');
});

test('what is kept is there after a restart, for its owner alone, newest first, until it is deleted', async () => {
  const folder = newFolder();
  const send = started(folder);
  await send('POST', 'history', { on: true });
  for (const title of ['one', 'two', 'three']) await send('POST', 'history/entries', entry(title));
  for (const name of readdirSync(folder)) expect(statSync(join(folder, name)).mode & 0o077).toBe(0);
  const again = started(folder);
  const items = await jsonOf(again('GET', 'history/entries'));
  expect(new Set(titles(items))).toEqual(new Set(['one', 'two', 'three']));
  expect(await jsonOf(again('GET', `history/entries/${items[0].id}`))).toEqual({
    ...items[0],
    data: entry(items[0].title).data,
  });
  const all = await jsonOf(again('GET', 'history/export'));
  expect(titles(all)).toEqual(titles(items));
  await again('DELETE', `history/entries/${items[0].id}`);
  expect(titles(await jsonOf(again('GET', 'history/entries')))).toEqual(titles(items.slice(1)));
  expect(await jsonOf(again('POST', 'history', { on: false }))).toMatchObject({ on: false, entries: 2 });
  expect(await jsonOf(again('DELETE', 'history'))).toMatchObject({ on: false, entries: 0, bytes: 0 });
  expect(() => readdirSync(folder)).toThrow('ENOENT');
  expect(await jsonOf(again('GET', 'history/export'))).toEqual([]);
});

test('with a passphrase nothing of it stands in clear, what was there before included', async () => {
  const folder = newFolder();
  const send = started(folder);
  await send('POST', 'history', { on: true });
  await send('POST', 'history/entries', entry('Jane Doe'));
  expect(filesIn(folder).join()).toContain('Jane Doe');
  expect(await jsonOf(send('POST', 'history', { on: true, passphrase: 'åtta tecken' }))).toMatchObject({
    ...{ on: true, encrypted: true, locked: false, entries: 1 },
  });
  await send('POST', 'history/entries', entry('John Doe'));
  expect(filesIn(folder).join()).not.toMatch(/Doe|about|ask/);

  const again = started(folder);
  expect(await jsonOf(again('GET', 'history'))).toMatchObject({ on: true, encrypted: true, locked: true, entries: 2 });
  for (const [method, path, body] of [
    ['GET', 'history/entries'],
    ['POST', 'history/entries', entry('x')],
  ] as const)
    expect((await again(method, path, body)).status).toBe(409);
  expect((await again('POST', 'history/unlock', { passphrase: 'another one' })).status).toBe(403);
  expect(await jsonOf(again('POST', 'history/unlock', { passphrase: 'åtta tecken'.normalize('NFD') }))).toMatchObject({
    locked: false,
  });
  expect(new Set(titles(await jsonOf(again('GET', 'history/export'))))).toEqual(new Set(['Jane Doe', 'John Doe']));
  expect(await jsonOf(again('POST', 'history/lock', {}))).toMatchObject({ locked: true });
  expect((await again('GET', 'history/entries')).status).toBe(409);
});

test('an entry that was changed, moved or cut is said to be damaged, and can be deleted', async () => {
  const folder = newFolder();
  const send = started(folder);
  await send('POST', 'history', { on: true, passphrase: 'long enough' });
  const [a, b] = [
    await jsonOf(send('POST', 'history/entries', entry('a'))),
    await jsonOf(send('POST', 'history/entries', entry('b'))),
  ];
  const path = ({ id }: Json) => join(folder, `${id}.json`);
  writeFileSync(path(b), readFileSync(path(a)));
  writeFileSync(path(a), readFileSync(path(a)).subarray(0, 40));
  const again = started(folder);
  await again('POST', 'history/unlock', { passphrase: 'long enough' });
  expect((await jsonOf(again('GET', 'history/entries'))).map(({ kind }: Json) => kind)).toEqual(['damaged', 'damaged']);
  expect(await jsonOf(again('GET', `history/entries/${a.id}`))).toMatchObject({ error: { code: 'ERR_INPUT' } });
  expect((await again('DELETE', `history/entries/${a.id}`)).status).toBe(200);
});

test('settings that were changed are not taken for none', async () => {
  const folder = newFolder();
  const send = started(folder);
  await send('POST', 'history', { on: true, passphrase: 'long enough' });
  const path = join(folder, 'settings.json');
  writeFileSync(path, readFileSync(path, 'utf8').replace('"on":true', '"on":false'));
  expect(await jsonOf(send('POST', 'history/entries', entry('a')))).toMatchObject({ error: { code: 'ERR_INPUT' } });
});

test.each([
  ['an id that leads elsewhere', 'GET', `history/entries/${encodeURIComponent('../../etc/passwd')}`, undefined, 404],
  ['an unknown id', 'DELETE', 'history/entries/000000000-0000000000000000', undefined, 404],
  ['a short passphrase', 'POST', 'history', { on: true, passphrase: 'short' }, 400],
  ['a misspelt field', 'POST', 'history', { on: true, pass: 'long enough' }, 400],
  ['a title that is a text', 'POST', 'history/entries', { ...entry('x'.repeat(201)) }, 400],
  ['unlocking what is not encrypted', 'POST', 'history/unlock', { passphrase: 'long enough' }, 409],
])('%s is refused', async (_, method, path, body, status) => {
  expect((await started(newFolder())(method, path, body)).status).toBe(status);
});

test('where nothing is to be kept it cannot be turned on, and without the page’s key it is nobody’s', async () => {
  const send = started(undefined);
  expect(await jsonOf(send('GET', 'history'))).toMatchObject({ on: false, entries: null, folder: null });
  expect((await send('POST', 'history', { on: true })).status).toBe(409);
  const headers = { Authorization: 'Bearer another' };
  for (const path of ['history', 'history/entries', 'history/export', 'history/entries/a'])
    expect((await send('GET', path, undefined, { headers })).status).toBe(401);
});
