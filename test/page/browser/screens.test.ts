import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { example, withPage } from './harness.js';

const { served, open } = withPage();

test('without the page’s key, what would read files says why it cannot', async () => {
  const visit = await open({ at: served().url });
  for (const screen of ['models', 'evaluate', 'records']) {
    await visit.screen(screen);
    expect(await visit.page.locator('.why-not').first().innerText()).toContain('meditron serve');
  }
});

test('history keeps answers only when it is on, unreadable without the passphrase, and nothing after it is turned off', async () => {
  const visit = await open();
  const { page } = visit;
  await visit.ask(example);
  await visit.card.waitFor();
  await visit.screen('records');
  await page.fill('#passphrase', 'correct horse battery');
  await page.getByRole('button', { name: 'Turn history on' }).click();
  await page.getByText('Nothing is kept yet.').waitFor();
  await page.locator('footer', { hasText: 'History is on' }).waitFor();
  await visit.screen('ask');
  await page.getByRole('button', { name: 'Ask again with another seed' }).click();
  await visit.screen('records');
  await page.getByText('1 entry is kept.').waitFor();
  expect(everythingIn(served().state)).not.toContain('atrial fibrillation');
  await page.locator('.history .entries .link').click();
  expect(await page.locator('.record').innerText()).toContain('atrial fibrillation');
  expect(await page.locator('.record .headline').innerText()).toMatch(
    /^[A-D]\. \d$|^The chains do not agree: \d says? [A-D](?:, \d says? [A-D])+\.$/,
  );
  const exported = JSON.parse(readFileSync(await visit.saved('Export all'), 'utf8'));
  expect(exported.map(({ title }: { title: string }) => title)).toEqual([
    expect.stringContaining('atrial fibrillation'),
  ]);
  await page.getByRole('button', { name: /^Delete: / }).click();
  await page.getByText('Nothing is kept yet.').waitFor();
  await page.getByRole('button', { name: 'Turn off and delete everything' }).click();
  await page.getByRole('button', { name: 'Turn history on' }).waitFor();
  expect(await page.locator('.history .entries li').count()).toBe(0);
});

/** All that lies in the files of a folder. */
function everythingIn(folder: string): string {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => readFileSync(join(entry.parentPath, entry.name), 'latin1'))
    .join('\n');
}

test('models say what they are, and the speed is measured where one asks for it', async () => {
  const visit = await open();
  const { page } = visit;
  await visit.screen('models');
  const model = page.locator('.model');
  expect(await model.innerText()).toContain('This is the demonstration model.');
  await page.getByRole('button', { name: 'Look in folders' }).click();
  await page.locator('.places button').first().waitFor();
  await page.fill('#model-path', '/nowhere/none.gguf');
  await page.getByRole('button', { name: 'Add', exact: true }).click();
  expect(await page.locator('.failed .what').innerText()).toContain('file cannot be read');
  // A file of this machine can be asked once it was added, beside the first too.
  await page.fill('#model-path', resolve(import.meta.dirname, '..', '..', 'fixtures', 'mini-seed-1.gguf'));
  await page.getByRole('button', { name: 'Add', exact: true }).click();
  await page.locator('.model', { hasText: 'mini-seed-1' }).waitFor();
  await visit.screen('ask');
  await page.getByRole('checkbox', { name: 'mini-seed-1' }).waitFor();
});
