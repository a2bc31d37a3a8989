import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { done, installed, workFolder } from './shell.js';

const folder = workFolder('import');
const app = join(folder, 'app');
beforeAll(async () => {
  installed(app);
});

/** strace writes the bytes of what is not ASCII in octal. */
const plain = (path: string) =>
  Buffer.from(
    path.replace(/\\([0-7]{3})/g, (_, octal) => String.fromCharCode(Number.parseInt(octal, 8))),
    'latin1',
  ).toString();

const hasStrace = spawnSync('strace', ['-V']).status === 0;
if (!hasStrace) console.warn('What the kernel sees of an import is not looked at: strace is not installed');

test.runIf(hasStrace)('importing the package opens nothing but its modules, no socket, and starts no process', () => {
  const trace = (name: string, text: string) => {
    const program = join(app, `${name}.mjs`);
    writeFileSync(program, text);
    const log = join(folder, `${name}.log`);
    const calls = 'trace=openat,open,socket,connect,execve,unlink,rename,mkdir,fork,vfork';
    const { status } = spawnSync('strace', ['-f', '-qq', '-e', calls, '-o', log, process.execPath, program], {
      cwd: app,
    });
    expect(status).toBe(0);
    return readFileSync(log, 'utf8')
      .split('\n')
      .map(line => line.replace(/^\d+ +/, ''));
  };
  const before = trace('nothing', '');
  const after = trace('something', "import 'meditron';");
  const others = (lines: readonly string[]) =>
    lines
      .filter(line => /^(socket|connect|execve|unlink|rename|mkdir|v?fork)\(/.test(line))
      .map(line => line.replace(/\(.*/, ''));
  expect(others(after)).toEqual(others(before));

  const opened = (lines: readonly string[]) =>
    lines.flatMap(line => /^open(?:at)?\((?:AT_FDCWD, )?"([^"]*)"/.exec(line)?.[1] ?? []).map(plain);
  const modules = opened(after).filter(path => path.startsWith(app));
  expect(modules.length).toBeGreaterThan(50);
  for (const path of modules) expect(path).toMatch(/\.(js|cjs|mjs)$|package\.json$/);
  const known = new Set(opened(before));
  const elsewhere = opened(after).filter(
    path => !path.startsWith(app) && !known.has(path) && !/^\/(proc|sys)\//.test(path),
  );
  expect(elsewhere.filter(path => !folder.startsWith(path) && !/package\.json$/.test(path))).toEqual([]);
});

test('importing the package changes nothing of the process', async () => {
  const program = `
    const state = () => JSON.stringify([{ ...process.env }, process.eventNames().map(name => [String(name), process.listenerCount(name)]),
      Object.getOwnPropertyNames(globalThis), process.exitCode ?? null, process.getActiveResourcesInfo().filter(name => /Timeout|TCP|Process/.test(name))]);
    const before = state();
    await import('meditron');
    console.log(before === state());`;
  writeFileSync(join(app, 'state.mjs'), program);
  expect(await done('node', ['state.mjs'], { cwd: app })).toBe('true\n');
});
