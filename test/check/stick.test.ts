import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { sheetName, stickFolder } from '../../src/check/stick.js';
import { sumsName } from '../../src/check/sums.js';

const place = mkdtempSync(join(tmpdir(), 'meditron-stick-'));
afterAll(() => rmSync(place, { recursive: true }));

function packageIn(name: string, ...beside: readonly string[]): string {
  const found = join(place, name, 'app', 'node_modules', 'meditron');
  mkdirSync(found, { recursive: true });
  for (const file of beside) writeFileSync(join(place, name, file), '');
  return found;
}

test('the folder on a stick is known by its layout, also if the sums were not copied, and no other installation is taken for one', () => {
  expect(stickFolder(packageIn('stick', sumsName))).toBe(join(place, 'stick'));
  expect(stickFolder(packageIn('interrupted', sheetName))).toBe(join(place, 'interrupted'));
  expect(stickFolder(packageIn('somebody'))).toBeUndefined();
  expect(stickFolder(join(place, 'stick', 'node_modules', 'meditron'))).toBeUndefined();
  expect(stickFolder()).toBeUndefined();
});
