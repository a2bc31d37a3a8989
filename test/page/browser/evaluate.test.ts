import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { clinicalQuestions } from '../../../src/clinical/questions.js';
import { type Visit, withPage } from './harness.js';

const root = resolve(import.meta.dirname, '..', '..', '..');
const models = ['models/meditron-mini.gguf', 'test/fixtures/mini-seed-1.gguf'];
const { open } = withPage(models.flatMap(path => ['--model', resolve(root, path)]));

const folder = mkdtempSync(join(tmpdir(), 'questions-'));

/** A file of four questions. */
function questions(name: string, seed: number): string {
  const file = join(folder, `${name}.jsonl`);
  const lines = [...clinicalQuestions({ seed, count: 4 })].map(question => `${JSON.stringify(question)}\n`);
  writeFileSync(file, lines.join(''));
  return file;
}

/** Evaluates the model that is chosen under Ask, to the end. */
async function evaluated({ page }: Visit, file: string): Promise<void> {
  await page.fill('#run-file', file);
  await page.getByRole('button', { name: 'See what it would take' }).click();
  const before = await page.locator('article').count();
  await page.getByRole('button', { name: 'Start', exact: true }).click();
  await expect.poll(() => page.locator('article').count()).toBe(before + 1);
  await page.locator('article .tag', { hasText: 'done' }).nth(before).waitFor();
}

test('a run on a file is estimated, grows, and its report opens every question', async () => {
  const visit = await open();
  const { page } = visit;
  await visit.screen('evaluate');
  await page.fill('#run-file', questions('own', 5));
  await page.getByRole('button', { name: 'See what it would take' }).click();
  expect(await page.locator('.plan').innerText()).toContain('4 questions.');
  await page.getByRole('button', { name: 'Start', exact: true }).click();
  await page.locator('article .tag', { hasText: 'done' }).waitFor();
  await page.getByRole('link', { name: 'Open the report' }).click();
  expect(await page.locator('.figure').innerText()).toMatch(/^[0-4] of 4 right$/);
  const rows = page.locator('.row-of');
  await rows.first().waitFor();
  expect(await rows.count()).toBe(4);
  await rows.first().locator('summary').click();
  expect(await rows.first().locator('.all-chains li').count()).toBe(5);
  expect(await visit.violations()).toEqual([]);
  // What was measured here is said before the next answer.
  await visit.screen('ask');
  await expect
    .poll(() => page.locator('.accuracy').innerText())
    .toMatch(/^On 4 questions .* right \d times? \(measured here, /);
});

test('two reports are compared, by the keyboard alone: runs are told apart, and what was compared is said where it was chosen', async () => {
  const visit = await open();
  const { page } = visit;
  await visit.screen('evaluate');
  await evaluated(visit, questions('mine', 5));
  await evaluated(visit, questions('others', 6));
  await visit.screen('ask');
  await page.locator('details.how > summary').click();
  await page.selectOption('#how-model', 'mini-seed-1');
  await visit.screen('evaluate');
  await evaluated(visit, questions('mine', 5));
  await page.getByRole('link', { name: 'Open the report' }).first().focus();
  await page.keyboard.press('Enter');
  const choice = page.locator('#compare');
  await choice.waitFor();
  expect(await page.locator('article').innerText()).toContain('mine.jsonl, mini-seed-1, ');
  const others = (await choice.locator('option').allTextContents()).slice(1, 3);
  expect(others).toEqual([
    expect.stringMatching(/^others\.jsonl, meditron-mini, /),
    expect.stringMatching(/^mine\.jsonl, meditron-mini, /),
  ]);
  const box = page.locator('section', { has: choice }).last();
  await choice.focus();
  // Another file: it is said beside the choice, which stays as it was made.
  await page.keyboard.press('ArrowDown');
  await box.getByRole('alert').waitFor();
  expect(await box.innerText()).toContain('These two have no questions with known answers in common');
  expect(await choice.evaluate((select: HTMLSelectElement) => select.selectedOptions[0]!.text)).toBe(others[0]);
  await page.keyboard.press('ArrowDown');
  const result = box.getByRole('status');
  await expect.poll(() => result.innerText()).toMatch(/of 4 questions, (?:both had the same right|\d only the first)/);
  expect(await box.getByRole('alert').count()).toBe(0);
  expect(await result.locator('.two li').allInnerTexts()).toEqual([
    expect.stringMatching(/^mine\.jsonl, mini-seed-1, /),
    expect.stringMatching(/^mine\.jsonl, meditron-mini, /),
  ]);
  expect(await result.innerText()).toContain('SC-CoT, 5 samples (1) / SC-CoT, 5 samples (2): of 4');
  expect(await page.evaluate(() => document.activeElement!.id)).toBe('compare');
  expect(await visit.violations()).toEqual([]);
  await page.emulateMedia({ colorScheme: 'dark' });
  await page.setViewportSize({ width: 320, height: 640 });
  expect(await visit.misfits()).toEqual([]);
  await page.selectOption('#language', 'ar');
  expect(await visit.violations()).toEqual([]);
  await page.selectOption('#language', 'en');
  // A reload comes back to the report; the comparison is chosen again.
  await page.reload();
  await choice.waitFor();
  expect(await choice.inputValue()).toBe('');
  // Away and back, by the browser's own buttons.
  await page.goBack();
  await page.getByRole('button', { name: 'See what it would take' }).waitFor();
  await page.goForward();
  await choice.waitFor();
});

test('of two choices in a row the last is shown, whichever comes first', async () => {
  const visit = await open();
  const { page } = visit;
  await visit.screen('evaluate');
  await page.getByRole('link', { name: 'Open the report' }).first().click();
  const choice = page.locator('#compare');
  await choice.waitFor();
  const ids = await choice.locator('option').evaluateAll(all => all.map(each => (each as HTMLOptionElement).value));
  // The first answer is held back until the second is there.
  let release = () => {};
  await page.route(`**/compare?*second=${ids[2]}`, async route => {
    await new Promise<void>(resolve => {
      release = resolve;
    });
    await route.continue();
  });
  await choice.selectOption(ids[2]!);
  await choice.selectOption(ids[1]!);
  await page.getByRole('alert').filter({ hasText: 'These two have no questions' }).waitFor();
  const late = page.waitForResponse(`**/compare?*second=${ids[2]}`);
  release();
  await late;
  expect(await choice.inputValue()).toBe(ids[1]);
  expect(await page.locator('.two').count()).toBe(0);
});

test('questions that cannot be used are said to be, not a question', async () => {
  const visit = await open();
  const { page } = visit;
  await visit.screen('evaluate');
  const file = join(folder, 'notes.csv');
  writeFileSync(file, 'name,phone\nA,1\n');
  for (const path of [file, '/nowhere/none.jsonl']) {
    await page.fill('#run-file', path);
    await page.getByRole('button', { name: 'See what it would take' }).click();
    await page.locator('.failed .what', { hasText: 'These questions cannot be used as they are.' }).waitFor();
  }
});
