import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { bindingOf } from '../../src/native/binding.js';
import { recall, remember } from '../../src/native/memory.js';
import type { ProbeReport, Verdict } from '../../src/native/report.js';

const folder = mkdtempSync(join(tmpdir(), 'meditron-memory-'));
const file = join(folder, 'state', 'devices.json');
afterEach(() => rmSync(join(folder, 'state'), { recursive: true, force: true }));

const binding = 'a'.repeat(64);
const now = Date.parse('2026-11-27T03:00:00.000Z');
const report = (verdict: Verdict): ProbeReport => ({
  at: new Date(now).toISOString(),
  failure: null,
  devices: [
    {
      name: 'CUDA0',
      description: 'A card',
      backend: 'CUDA',
      id: '0000:01:00.0',
      type: 'gpu',
      memoryTotal: 8e9,
      verdict,
    },
  ],
});
const works = report({ outcome: 'works', difference: 0.05 });
const died = report({ outcome: 'died', how: 'SIGABRT', during: 'computing', lines: ['CUDA error'] });
const recalled = () => recall(binding, file, now + 1000);

test('what was found is found again, in the same state of things only', async () => {
  await remember(binding, works, file);
  await remember('b'.repeat(64), died, file);
  expect(recalled()).toEqual(works);
  expect(recall('b'.repeat(64), file, now)).toEqual(died);
  expect(recall('c'.repeat(64), file, now)).toBeUndefined();
  await remember(binding, died, file);
  expect(recalled()).toEqual(died);
});

test('the file is its owner’s alone, in a folder of the same kind, and nothing else is left there', async () => {
  await remember(binding, works, file);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(statSync(join(folder, 'state')).mode & 0o777).toBe(0o700);
  expect(readdirSync(join(folder, 'state'))).toEqual(['devices.json']);
});

test('a failure is tried again after a day, a success holds; a time that is to come is not believed', async () => {
  const day = 24 * 3600 * 1000;
  await remember(binding, died, file);
  expect(recall(binding, file, now + day - 1)).toEqual(died);
  expect(recall(binding, file, now + day)).toBeUndefined();
  expect(recall(binding, file, now - 1)).toBeUndefined();
  await remember(binding, works, file);
  expect(recall(binding, file, now + 1000 * day)).toEqual(works);
});

test('a file of which any leaf was changed, removed or added to is not used', async () => {
  for (const known of [works, died]) {
    await remember(binding, known, file);
    const text = readFileSync(file, 'utf8');
    let tried = 0;
    for (const changed of variantsOf(JSON.parse(text))) {
      writeFileSync(file, JSON.stringify(changed));
      expect(recalled(), JSON.stringify(changed)).toBeUndefined();
      tried++;
    }
    expect(tried).toBeGreaterThan(30);
    for (const other of ['', '{', 'null', '[]', text.slice(0, -20), text.slice(1)]) {
      writeFileSync(file, other);
      expect(recalled()).toBeUndefined();
    }
    writeFileSync(file, text);
    expect(recalled()).toEqual(known);
  }
});

test.skipIf(process.platform === 'win32')('a file that others may write is not used', async () => {
  await remember(binding, works, file);
  chmodSync(file, 0o622);
  expect(recalled()).toBeUndefined();
});

test.skipIf(process.platform === 'win32')(
  'a link to a file, and a pipe, are neither followed nor waited for',
  async () => {
    await remember(binding, works, file);
    renameSync(file, `${file}.real`);
    symlinkSync(`${file}.real`, file);
    expect(recalled()).toBeUndefined();
    rmSync(file);
    execFileSync('mkfifo', ['-m', '600', file]);
    expect(recalled()).toBeUndefined();
  },
);

test('where nothing can be written, and where there is no home, nothing is remembered and nothing is said', async () => {
  writeFileSync(join(folder, 'plain'), '');
  await remember(binding, works, join(folder, 'plain', 'devices.json'));
  expect(recall(binding, join(folder, 'plain', 'devices.json'), now)).toBeUndefined();
  await remember(binding, works, undefined);
});

test('many writers at once leave a whole file', async () => {
  const bindings = Array.from({ length: 8 }, (_, i) => String(i).repeat(64));
  await Promise.all(bindings.map(one => remember(one, works, file)));
  expect(bindings.filter(one => recall(one, file, now) !== undefined)).not.toEqual([]);
  expect(readdirSync(join(folder, 'state'))).toEqual(['devices.json']);
});

test('a binding changes with its files, their libraries and the variables that choose devices, and with no other', () => {
  const backend = join(folder, 'backend.so');
  writeFileSync(backend, 'one');
  const bound = { files: [backend], libraries: [] };
  const before = bindingOf(bound, { HOME: '/somewhere' });
  expect(bindingOf(bound, { HOME: '/elsewhere', GGML_NO_BACKTRACE: '1' })).toBe(before);
  for (const name of ['CUDA_VISIBLE_DEVICES', 'GGML_VK_VISIBLE_DEVICES', 'VK_ICD_FILENAMES', 'LD_LIBRARY_PATH'])
    expect(bindingOf(bound, { [name]: '0' }), name).not.toBe(before);
  expect(bindingOf({ files: [], libraries: [backend] }, {})).not.toBe(before);
  writeFileSync(backend, 'another');
  expect(bindingOf(bound, {})).not.toBe(before);
  rmSync(backend);
  expect(bindingOf(bound, {})).not.toBe(before);
});

/** The same data with every leaf changed, every key and element left out, and a key more in every object. */
function* variantsOf(value: unknown): Generator<unknown> {
  if (Array.isArray(value)) {
    for (const [i, item] of value.entries()) {
      yield value.toSpliced?.(i, 1) ?? value.filter((_, at) => at !== i);
      for (const other of variantsOf(item)) yield value.map((each, at) => (at === i ? other : each));
    }
  } else if (typeof value === 'object' && value !== null) {
    yield { ...value, more: 1 };
    for (const [key, item] of Object.entries(value)) {
      yield Object.fromEntries(Object.entries(value).filter(([name]) => name !== key));
      for (const other of variantsOf(item)) yield { ...value, [key]: other };
    }
  } else if (typeof value === 'number') {
    yield value + 1;
    yield String(value);
  } else if (typeof value === 'string') {
    yield `${value} `;
    yield value.replace(/.$/, last => (last === '0' ? '1' : '0'));
    yield null;
  } else yield 'x';
}
