import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { ResultRow } from '../../../src/evaluate/storage/rows.js';
import { Random } from '../../../src/random/xoshiro.js';
import { storiesPath } from '../../engine/stories.js';
import { emptyFolder, storedIn } from './items.js';

const questions = 20;
/** Every kill costs seconds: the next run waits until the dead one's lock is stale. The long form kills ten times and more. */
const kills = Number(process.env.MEDITRON_KILLS ?? 4);
const child = resolve(import.meta.dirname, 'child.ts');

/** Runs the evaluation of child.ts in `dir`; kills it some milliseconds after so many rows, or with 0 after its start, and at the next row at the latest. */
async function run(dir: string, rows = Infinity, later = 0): Promise<number | null> {
  const args = ['--import', 'tsx', child, storiesPath, dir, String(questions), String(rows + 1)];
  const process_ = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let seen = 0;
  if (rows === 0) setTimeout(() => process_.kill('SIGKILL'), later);
  process_.stdout.setEncoding('utf8').on('data', async (text: string) => {
    seen += text.split('\n').length - 1;
    if (rows === 0 || seen < rows) return;
    await pause(later);
    process_.kill('SIGKILL');
  });
  const [code] = (await once(process_, 'close')) as [number | null];
  return code;
}

/** What does not depend on the clock, by id. */
async function rowsIn(dir: string) {
  const { rows, config } = await storedIn(dir);
  const timeless = rows.map(({ ms: _, latencyMs: __, ...row }): Partial<ResultRow> => row);
  return { config, count: rows.length, byId: Object.fromEntries(timeless.map(row => [row.id!, row])) };
}

test(`an evaluation that was killed ${kills} times at random has the rows of one that was not`, async () => {
  const [whole, killed] = [emptyFolder(), emptyFolder()];
  expect(await run(whole)).toBe(0);
  const random = new Random(20261126);
  let ended = 0;
  for (let i = 0; i < kills; i++) {
    // Some while it still loads or opens the results, most in the middle of rows.
    const [rows, later] = i % 3 === 2 ? [0, random.between(0, 900)] : [random.between(1, 2), random.between(0, 15)];
    if ((await run(killed, rows, later)) === null) ended++;
  }
  expect(ended).toBe(kills);
  const before = (await rowsIn(killed)).count;
  expect(before).toBeGreaterThanOrEqual(Math.floor(kills / 2));
  expect(before).toBeLessThan(2 * questions);
  expect(await run(killed)).toBe(0);
  const [expected, got] = [await rowsIn(whole), await rowsIn(killed)];
  expect(got.count).toBe(2 * questions);
  expect(got).toEqual(expected);
}, 600_000);
