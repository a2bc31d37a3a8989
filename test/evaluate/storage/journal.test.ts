import { spawn, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import type { Config } from '../../../src/evaluate/storage/config.js';
import { openJournal } from '../../../src/evaluate/storage/journal.js';
import { rowsIn as readRows, resultsName } from '../../../src/evaluate/storage/lines.js';
import { collected } from '../run/items.js';
import { linesOf, resealed } from './sealed.js';

interface Row {
  readonly id: string;
  readonly answer?: string;
}

const config = { task: 'medqa', mode: 'sc-cot', sampling: { temperature: 0.8, seed: 1 }, model: { sha256: 'ab' } };
const check = (value: unknown) => value as Row;
const open = (dir: string, of: Config, options: { resume?: boolean } = {}) =>
  openJournal<Row>(dir, of, { ...options, check });
const stored = (dir: string) => collected(readRows(file(dir), check));
const folder = () => mkdtempSync(join(tmpdir(), 'meditron-store-'));
const file = (dir: string) => join(dir, resultsName);
const text = (dir: string) => readFileSync(file(dir), 'utf8');
const rowsIn = (dir: string) =>
  linesOf(text(dir))
    .slice(1)
    .map(line => JSON.parse(line));

async function filled(dir: string, ids: readonly string[]): Promise<string> {
  const store = await open(dir, config);
  for (const id of ids) await store.append({ id, answer: 'A' });
  await store.close();
  return dir;
}

test('rows are on the disk when append resolves, in order, after a header with the configuration', async () => {
  const dir = join(folder(), 'new', 'run');
  const store = await open(dir, config);
  await store.append({ id: 'a', answer: 'B\u2028"\n' });
  expect(rowsIn(dir)).toEqual([{ id: 'a', answer: 'B\u2028"\n' }]);
  expect([...store.done]).toEqual(['a']);
  await Promise.all(['b', 'c', 'd'].map(id => store.append({ id })));
  expect(rowsIn(dir).map(row => row.id)).toEqual(['a', 'b', 'c', 'd']);
  const read: string[] = [];
  for await (const row of store.rows()) read.push(row.id);
  expect(read).toEqual(['a', 'b', 'c', 'd']);
  expect(store.header).toMatchObject({
    format: 'meditron-results',
    version: 2,
    id: expect.stringMatching(/^[0-9a-f-]{36}$/),
    config,
  });
  await store.close();
  expect(readdirSync(dir)).toEqual([resultsName]);
});

test('resuming continues after the rows that are there', async () => {
  const dir = await filled(folder(), ['a', 'b']);
  const store = await open(dir, config, { resume: true });
  expect([...store.done]).toEqual(['a', 'b']);
  await store.append({ id: 'c' });
  await store.close();
  expect((await stored(dir)).map(row => row.id)).toEqual(['a', 'b', 'c']);
});

test('resuming where nothing is starts a run', async () => {
  const store = await open(folder(), config, { resume: true });
  expect(store.done.size).toBe(0);
  await store.close();
});

test('a folder with results is not written without resume', async () => {
  const dir = await filled(folder(), ['a']);
  const before = text(dir);
  await expect(open(dir, config)).rejects.toMatchObject({
    code: 'ERR_OUTPUT',
    message: expect.stringContaining('resume'),
  });
  expect(text(dir)).toBe(before);
  expect(existsSync(join(dir, 'lock'))).toBe(false);
});

test('another configuration is refused, and the fields that differ are named', async () => {
  const dir = await filled(folder(), ['a']);
  const other = { ...config, sampling: { temperature: 0.7, seed: 1 }, shots: 3 };
  await expect(open(dir, other, { resume: true })).rejects.toMatchObject({
    code: 'ERR_OPTION',
    message: expect.stringMatching(/sampling\.temperature: 0\.8 there, 0\.7 now\n {2}shots: absent there, 3 now$/),
  });
});

test('names that every object inherits are compared as any other', async () => {
  const store = await open(folder(), { toString: 1 } as unknown as Config);
  await store.close();
  const message = expect.stringMatching(/toString: 1 there, absent now$/);
  await expect(open(join(store.path, '..'), {}, { resume: true })).rejects.toMatchObject({
    code: 'ERR_OPTION',
    message,
  });
});

test('the order of the keys of a configuration, and absent fields, do not matter', async () => {
  const dir = await filled(folder(), ['a']);
  const same = {
    model: { sha256: 'ab' },
    sampling: { seed: 1, temperature: 0.8 },
    mode: 'sc-cot',
    task: 'medqa',
    extra: undefined,
  };
  const store = await open(dir, same, { resume: true });
  await store.close();
  expect(store.done.size).toBe(1);
});

test('a configuration that JSON cannot hold is a mistake of the caller', async () => {
  await expect(open(folder(), { temperature: Number.NaN })).rejects.toMatchObject({
    code: 'ERR_OPTION',
    message: expect.stringContaining('config.temperature'),
  });
});

test.each([1, 5, 30])('a last line that is torn after %d bytes is cut, and its item is done again', async bytes => {
  const dir = await filled(folder(), ['a', 'b']);
  const whole = text(dir);
  appendFileSync(file(dir), `${JSON.stringify({ id: 'c', answer: 'A'.repeat(40) })}`.slice(0, bytes));
  expect(await stored(dir)).toHaveLength(2);
  const store = await open(dir, config, { resume: true });
  expect([...store.done]).toEqual(['a', 'b']);
  await store.close();
  expect(text(dir)).toBe(whole);
});

test('a last line cut at any byte never counts as a row', async () => {
  const dir = await filled(folder(), ['a', 'b']);
  const whole = text(dir);
  const before = whole.lastIndexOf('\n', whole.length - 2) + 1;
  for (let size = whole.length - 1; size > before; size -= 3) {
    writeFileSync(file(dir), whole);
    truncateSync(file(dir), size);
    const store = await open(dir, config, { resume: true });
    expect([...store.done]).toEqual(['a']);
    await store.close();
    expect(text(dir)).toBe(whole.slice(0, before));
  }
});

test('zeros after a power failure are cut', async () => {
  const dir = await filled(folder(), ['a']);
  const whole = text(dir);
  appendFileSync(file(dir), Buffer.concat([Buffer.alloc(100), Buffer.from('\n')]));
  await (await open(dir, config, { resume: true })).close();
  expect(text(dir)).toBe(whole);
});

test('every change of one bit is an error that names the line', async () => {
  const dir = await filled(folder(), ['a', 'b']);
  const whole = readFileSync(file(dir));
  const lineAt = (at: number) => whole.subarray(0, at).toString('latin1').split('\n').length;
  for (let at = 0; at < whole.length; at++) {
    const bytes = Buffer.from(whole);
    bytes[at] = whole[at]! ^ (1 << (at % 8));
    writeFileSync(file(dir), bytes);
    const error = await stored(dir).catch(error => error);
    expect(error, `byte ${at}`).toMatchObject({ code: 'ERR_INPUT' });
    if (lineAt(at) > 1) expect(error.message, `byte ${at}`).toContain(`line ${lineAt(at)}: the file is not as it was`);
  }
});

test('rows that are gone, doubled, in another order or from another run are errors that name the line', async () => {
  const first = await filled(folder(), ['a', 'b', 'c']);
  const second = await filled(folder(), ['a', 'b', 'c']);
  const [header, a, b, c] = text(first).split('\n') as [string, string, string, string];
  const [otherHeader, , other] = text(second).split('\n') as [string, string, string];
  for (const [lines, line] of [
    [[header, b, c], 2],
    [[header, a, c], 3],
    [[header, a, a, b, c], 3],
    [[header, b, a, c], 2],
    [[header, a, other, c], 3],
    [[otherHeader, a, b, c], 2],
    [[header, a, `${b} `, c], 3],
    [[header, a, b, c.replace('{', '{ ')], 4],
  ] as const) {
    writeFileSync(file(first), `${lines.join('\n')}\n`);
    const message = expect.stringContaining(`line ${line}: the file is not as it was written`);
    await expect(open(first, config, { resume: true })).rejects.toMatchObject({ code: 'ERR_INPUT', message });
  }
});

test('a double row, a changed header, one of an older release and a foreign file are errors that say so', async () => {
  const dir = await filled(folder(), ['a', 'b']);
  const whole = text(dir);
  for (const [content, message] of [
    [resealed(linesOf(whole).map(line => line.replace('"b"', '"a"'))), /line 3: item "a" has two rows/],
    ['{"some": "file"}\n', /does not begin with a header/],
    ['{}', /does not begin with a header/],
    [whole.slice(0, whole.indexOf('\n')), /does not begin with a header/],
    [`\ufeff${whole}`, /does not begin with a header/],
    [whole.replaceAll('\n', '\r\n'), /header was changed/],
    [whole.replace('"temperature":0.8', '"temperature":0.7'), /header was changed/],
    [whole.replace('"version":2', '"version":1'), /older release.*evaluate again into another folder/],
    [resealed(['{"format":"meditron-results","version":3}']), /line 1: expected `version` to be 2/],
  ] as const) {
    writeFileSync(file(dir), content);
    await expect(open(dir, config, { resume: true })).rejects.toMatchObject({ code: 'ERR_INPUT' });
    await expect(stored(dir)).rejects.toThrow(message);
  }
});

test('a header that was being written when the process was killed is taken away', async () => {
  const dir = folder();
  writeFileSync(join(dir, `.${resultsName}.${randomUUID()}.part`), '{"format"');
  writeFileSync(join(dir, '.mine'), 'stays');
  await (await open(dir, config)).close();
  expect(readdirSync(dir).sort()).toEqual(['.mine', resultsName]);
});

test.skipIf(process.platform === 'win32')('results that are a link or a folder are not written', async () => {
  const elsewhere = await filled(folder(), ['a']);
  const before = text(elsewhere);
  const linked = folder();
  symlinkSync(file(elsewhere), file(linked));
  const occupied = folder();
  mkdirSync(file(occupied));
  for (const dir of [linked, occupied])
    await expect(open(dir, config, { resume: true })).rejects.toMatchObject({ code: 'ERR_OUTPUT' });
  expect(text(elsewhere)).toBe(before);
});

test('an item gets one row', async () => {
  const store = await open(folder(), config);
  const first = store.append({ id: 'a' });
  await expect(store.append({ id: 'a' })).rejects.toMatchObject({ code: 'ERR_OPTION' });
  await first;
  await expect(store.append({ id: 'a' })).rejects.toThrow(/already has a row/);
  await expect(store.append({ id: '' })).rejects.toMatchObject({ code: 'ERR_OPTION' });
  await store.close();
});

test('close waits for appends, may be called twice, and ends appending', async () => {
  const dir = folder();
  const store = await open(dir, config);
  const append = store.append({ id: 'a' });
  await Promise.all([store.close(), store.close()]);
  await append;
  expect(rowsIn(dir)).toHaveLength(1);
  await expect(store.append({ id: 'b' })).rejects.toMatchObject({ code: 'ERR_CLOSED' });
});

test('two runs cannot write one folder, and the first goes on', async () => {
  const dir = folder();
  const store = await open(dir, config);
  await expect(open(dir, config, { resume: true })).rejects.toMatchObject({
    code: 'ERR_BUSY',
    message: expect.stringContaining('another process writes this folder'),
  });
  await store.append({ id: 'a' });
  await store.close();
  expect(rowsIn(dir)).toHaveLength(1);
});

test('of many who find the lock of a dead process, one takes it over', async () => {
  const dir = await filled(folder(), ['a']);
  mkdirSync(join(dir, 'lock'));
  const opened = await Promise.allSettled(Array.from({ length: 8 }, () => open(dir, config, { resume: true })));
  const stores = opened.filter(result => result.status === 'fulfilled');
  expect(stores).toHaveLength(1);
  for (const result of opened) if (result.status === 'rejected') expect(result.reason.code).toBe('ERR_BUSY');
  await stores[0]!.value.append({ id: 'b' });
  await stores[0]!.value.close();
  expect(readdirSync(dir)).toEqual([resultsName]);
});

test.skipIf(process.platform === 'win32')('nobody else can read the results', async () => {
  const dir = await filled(folder(), ['a']);
  expect(statSync(file(dir)).mode & 0o777).toBe(0o600);
});

test('a folder that cannot be made is ERR_OUTPUT', async () => {
  const path = join(folder(), 'file');
  writeFileSync(path, '');
  await expect(open(join(path, 'run'), config)).rejects.toMatchObject({ code: 'ERR_OUTPUT' });
});

const writer = fileURLToPath(new URL('./writer.ts', import.meta.url));
const node = [process.execPath, '--import', 'tsx', writer];

test('killed at random moments and resumed, a run ends with the rows of one that was not', async () => {
  const count = 400;
  const dir = folder();
  for (let round = 0; round < 2; round++)
    expect(await runAndKill(dir, count, Math.floor(Math.random() * 25))).toBe('SIGKILL');
  expect(spawnSync(node[0]!, [...node.slice(1), dir, `${count}`]).status).toBe(0);
  const whole = folder();
  expect(spawnSync(node[0]!, [...node.slice(1), whole, `${count}`]).status).toBe(0);
  const rows = rowsIn(dir);
  expect(rows).toHaveLength(count);
  expect(new Set(rows.map(row => row.id)).size).toBe(count);
  const byId = (a: Row, b: Row) => (a.id < b.id ? -1 : 1);
  expect(rows.sort(byId)).toEqual(rowsIn(whole).sort(byId));
  expect(readdirSync(dir)).toEqual([resultsName]);
});

/** Kills the writer with SIGKILL some milliseconds after it has opened the store, before the last row in any case. Resolves with the signal that ended it. */
function runAndKill(dir: string, count: number, ms: number): Promise<NodeJS.Signals | null> {
  return new Promise(resolve => {
    const args = [...node.slice(1), dir, `${count}`, `${count - 1}`];
    const child = spawn(node[0]!, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    child.stdout.once('data', () => setTimeout(() => child.kill('SIGKILL'), ms));
    child.once('close', (_, signal) => resolve(signal));
  });
}

// A limit on the size of files makes writes fail half-way, as a full disk does.
test.runIf(process.platform === 'linux')('a write that fails half-way leaves a valid file and is ERR_OUTPUT', () => {
  const dir = folder();
  const script = `
    const { openJournal } = await import(${JSON.stringify(new URL('../../../src/evaluate/storage/journal.ts', import.meta.url).href)});
    const store = await openJournal(${JSON.stringify(dir)}, {}, { check: value => value });
    await store.append({ id: 'small' });
    const codes = [];
    await store.append({ id: 'large', text: 'x'.repeat(40000) }).catch(error => codes.push(error.code));
    await store.append({ id: 'next' });
    await store.close();
    console.log(JSON.stringify(codes));`;
  const limited = `trap '' XFSZ; ulimit -f 16; exec "$0" "$@"`;
  const args = ['-c', limited, process.execPath, '--import', 'tsx', '--input-type=module', '-e', script];
  const { stdout, stderr } = spawnSync('bash', args, {
    encoding: 'utf8',
    env: { ...process.env, TSX_DISABLE_CACHE: '1' },
  });
  expect(`${stdout}${stderr}`.trim()).toBe('["ERR_OUTPUT"]');
  expect(rowsIn(dir).map(row => row.id)).toEqual(['small', 'next']);
  expect(text(dir).endsWith('\n')).toBe(true);
});
