import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { readPanel } from '../../../src/panel/record/schema.js';
import { example, type Visit, withPage } from './harness.js';

const root = resolve(import.meta.dirname, '..', '..', '..');
const models = ['models/meditron-mini.gguf', 'test/fixtures/mini-seed-1.gguf'];
const { open } = withPage(models.flatMap(path => ['--model', resolve(root, path)]));

/** A page on which the second model is to be asked as well. */
async function both(): Promise<Visit> {
  const visit = await open();
  await visit.page.getByRole('checkbox', { name: 'mini-seed-1' }).check();
  return visit;
}

test('a second opinion of the same family is none, is said to be, and is kept as a record and on paper; a reload finds it again', async () => {
  const visit = await both();
  const { page } = visit;
  await visit.ask(example);
  const together = page.locator('.opinions .result');
  await together.waitFor();
  expect(await together.innerText()).toContain('All models are of one family: there is no second opinion.');
  expect(await page.locator('.opinions tbody tr').count()).toBe(2);
  expect(await page.locator('.card').count()).toBe(2);
  expect(await page.evaluate(() => document.activeElement!.textContent)).toBe('Second opinions');
  expect(await visit.violations()).toEqual([]);
  const record = page.locator('.opinions').getByRole('button', { name: 'Save record' });
  const saving = page.waitForEvent('download');
  await record.click();
  const { members, result } = readPanel(JSON.parse(readFileSync(await (await saving).path(), 'utf8')));
  expect(result).toMatchObject({ decision: 'abstain', reason: 'one_family' });
  expect(members.map(({ file }) => file)).toEqual(['meditron-mini.gguf', 'mini-seed-1.gguf']);
  await page.emulateMedia({ media: 'print' });
  expect(await together.isVisible()).toBe(true);
  expect(await page.locator('.sheet:visible').count()).toBe(2);
  expect(await page.getByRole('button').count()).toBe(0);
  await page.emulateMedia({ media: 'screen' });
  const before = await together.innerText();
  await page.reload();
  await together.waitFor();
  expect(await together.innerText()).toBe(before);
  expect(visit.errors).toEqual([]);
});

test('stopped while the first model answers, the second is not asked, and it is said', async () => {
  const visit = await both();
  const { page } = visit;
  await visit.ask(example, { chains: 49 });
  await page.locator('.chain.ended').first().waitFor();
  await page.keyboard.press('Escape');
  await page.locator('.opinions .result', { hasText: 'stopped before all models had been heard' }).waitFor();
  expect(await page.locator('.opinions tbody tr').last().innerText()).toContain('not asked');
  expect(await page.locator('.card').count()).toBe(1);
});
