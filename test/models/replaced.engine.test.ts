import { spawn } from 'node:child_process';
import { copyFileSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { entry } from '../../src/gguf/metadata.js';
import { tensorType } from '../../src/gguf/types.js';
import { writeGguf } from '../../src/gguf/writer.js';
import { OpenModel } from '../../src/models/open.js';
import { sampleMetadata, scratch, writeSample } from '../gguf/sample.js';

const folder = scratch();
const program = fileURLToPath(new URL('loading.ts', import.meta.url));
const times = 60;

/** Sound, and one of the same size that llama.cpp does not survive: two of its tokens are equal. */
async function twoFiles(): Promise<{ good: string; bad: string }> {
  const good = await writeSample(folder.path('good.gguf'), { 'general.name': entry.string('good') });
  const bytes = readFileSync(good);
  bytes.write('<0x00>', bytes.indexOf('<0x01>'));
  return { good, bad: await folder.put('bad.gguf', bytes) };
}

let made = 0;
const swaps: Readonly<Record<string, (path: string, next: string) => void>> = {
  'by rename': (path, next) => {
    copyFileSync(next, `${path}.${++made}`);
    renameSync(`${path}.${made}`, path);
  },
  'by a symbolic link': (path, next) => {
    symlinkSync(next, `${path}.${++made}`);
    renameSync(`${path}.${made}`, path);
  },
  'in place': (path, next) => writeFileSync(path, readFileSync(next)),
  'by removing it first': (path, next) => {
    rmSync(path, { force: true });
    copyFileSync(next, path);
  },
};

test.each(Object.entries(swaps))(
  'a file replaced %s while it is loaded: what was checked is loaded, or it is refused',
  async (name, swap) => {
    const { good, bad } = await twoFiles();
    const path = folder.path(`${name.replaceAll(' ', '-')}.gguf`);
    copyFileSync(good, path);
    const child = spawn(process.execPath, ['--import', 'tsx', program, path, String(times)], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    child.stdin.on('error', () => {}); // it may have died of a file
    const outcomes: string[] = [];
    let running = false;
    createInterface({ input: child.stdout }).on('line', line => {
      if (line === 'begun') running = true;
      else outcomes.push(line);
    });
    const ended = new Promise(resolve => child.on('close', (code, signal) => resolve(signal ?? code)));
    let over: unknown;
    void ended.then(how => {
      over = how;
    });
    for (let i = 0; over === undefined; i++) {
      // Unevenly, so that over the trials every moment of a load is met; the last ones find the file at rest.
      await new Promise(resolve => setTimeout(resolve, (i * 13) % (name === 'in place' ? 97 : 7)));
      const last = outcomes.length >= times - 10;
      if (running) swap(path, i % 2 === 0 && !last ? bad : good);
      if (running && last) child.stdin.write('at rest\n');
      running &&= !last;
    }
    expect(over).toBe(0);
    expect(outcomes).toHaveLength(times);
    expect(outcomes.slice(-10)).toEqual(Array(10).fill('loaded good'));
    for (const outcome of outcomes) expect(outcome).toMatch(/^(loaded good|ERR_MODEL_FILE|ERR_MODEL_FORMAT)$/);
  },
);

describe('a file too large to be copied', () => {
  async function large(): Promise<string> {
    const path = folder.path('large.gguf');
    const data = (): Uint8Array[] => [new Uint8Array(40 << 20)];
    const weights = { name: 'x', dimensions: [10 << 20], type: tensorType('f32'), data };
    await writeGguf(path, sampleMetadata(), [weights], { force: true });
    return path;
  }

  test('is refused when it is changed in place', async () => {
    const path = await large();
    await using opened = await OpenModel.at(path);
    opened.unchanged();
    writeFileSync(path, 'GGUF');
    expect(() => opened.unchanged()).toThrow(expect.objectContaining({ code: 'ERR_MODEL_FILE' }));
  });

  test('is loaded as it was checked, or refused, when its path leads elsewhere', async () => {
    const path = await large();
    await using opened = await OpenModel.at(path);
    renameSync(await folder.put('other', Buffer.from('other')), path);
    if (opened.paths[0] === path) {
      expect(() => opened.unchanged()).toThrow(expect.objectContaining({ code: 'ERR_MODEL_FILE' }));
    } else {
      opened.unchanged();
      expect(readFileSync(opened.paths[0]!)).toHaveLength(opened.file.parts[0]!.size);
    }
  });
});

test('messages call a file by its name', async () => {
  const path = await writeSample(folder.path('named.gguf'));
  await using opened = await OpenModel.at(path);
  const error = opened.plainly(new Error(`no such tensor in ${opened.paths[0]}`));
  expect(error).toMatchObject({ message: `no such tensor in ${path}` });
});
