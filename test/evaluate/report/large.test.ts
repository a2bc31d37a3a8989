import { spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { emptyFolder } from '../run/items.js';

test('a report of more text than fits in memory is written piece by piece', () => {
  const [dir, count, size] = [emptyFolder(), 4500, 24_000];
  const script = fileURLToPath(new URL('./large.ts', import.meta.url));
  const args = ['--max-old-space-size=80', '--import', 'tsx', script, dir, String(count), String(size)];
  const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  expect(stderr).toBe('');
  const { bytes, longest, n, correct } = JSON.parse(stdout);
  expect([n, correct]).toEqual([count, count / 3]);
  expect(bytes).toBeGreaterThan(count * size);
  expect(statSync(join(dir, 'report.html')).size).toBeGreaterThanOrEqual(bytes);
  // One question, or the page around them; never all.
  expect(longest).toBeLessThan(4 * size);
}, 120_000);
