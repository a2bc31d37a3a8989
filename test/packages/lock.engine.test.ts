import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, expect, test } from 'vitest';

const module = pathToFileURL(resolve(import.meta.dirname, '..', '..', 'scripts', 'lock.js')).href;
const folder = mkdtempSync(join(tmpdir(), 'meditron-lock-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const start = (script: string) =>
  spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });

test('of processes that find the lock of one that was killed, one at a time holds it', async () => {
  const lock = join(folder, 'left');
  const inside = join(folder, 'inside');
  const killed = start(
    `import { take } from '${module}'; take(${JSON.stringify(lock)}); process.kill(process.pid, 9);`,
  );
  await once(killed, 'exit');
  expect(readFileSync(lock, 'utf8')).toBe(String(killed.pid));

  // Whoever holds it leaves it again, as if it had been killed.
  const script = `
    import { rmSync, writeFileSync } from 'node:fs';
    import { take } from '${module}';
    for (let i = 0; i < 20; i++) {
      take(${JSON.stringify(lock)});
      writeFileSync(${JSON.stringify(inside)}, '', { flag: 'wx' });
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
      rmSync(${JSON.stringify(inside)});
      writeFileSync(${JSON.stringify(lock)}, '${killed.pid}');
    }`;
  const children = Array.from({ length: 6 }, () => start(script));
  const codes = await Promise.all(children.map(child => once(child, 'exit').then(([code]) => code)));
  expect(codes).toEqual(children.map(() => 0));
});

test('who waits says so once, and goes on when the lock is given back', async () => {
  const lock = join(folder, 'held');
  const holder = spawn('sleep', ['60']);
  writeFileSync(lock, String(holder.pid));
  const waiting = start(
    `import { alone, take } from '${module}'; take(${JSON.stringify(lock)}, () => console.log('waiting')); console.log('has it');`,
  );
  let said = '';
  for await (const chunk of waiting.stdout) {
    said += chunk;
    if (said === 'waiting\n') holder.kill('SIGKILL');
  }
  expect(said).toBe('waiting\nhas it\n');
});

test('a number that the process itself has now was another’s: in containers they come again', () => {
  const lock = join(folder, 'same');
  const script = `
    import { writeFileSync } from 'node:fs';
    import { take } from '${module}';
    writeFileSync(${JSON.stringify(lock)}, String(process.pid));
    take(${JSON.stringify(lock)})();`;
  expect(spawnSync(process.execPath, ['--input-type=module', '-e', script]).status).toBe(0);
});
