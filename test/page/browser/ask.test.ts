import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { held, holdAt, holdable } from '../../host/hold.js';
import { engineOf, example, withPage } from './harness.js';

const hold = join(mkdtempSync(join(tmpdir(), 'held-')), 'hold');
const { served, open } = withPage([], holdable(hold));

test('a case is asked with the keyboard alone, and the focus goes to the answer', async () => {
  const { page, card, box } = await open();
  await expect.poll(() => box.evaluate(element => element === document.activeElement)).toBe(true);
  await page.keyboard.insertText(example);
  await page.locator('.read-back').waitFor();
  expect(await page.locator('.read-back .options li').count()).toBe(4);
  await page.keyboard.press('Control+Enter');
  await card.waitFor();
  expect(await page.evaluate(() => document.activeElement?.tagName)).toBe('H2');
  expect(await card.locator('h2').textContent()).toMatch(/^[A-D]\. \d$|^The chains do not agree/);
  // Everything that can be done with it is reached from there.
  const reached: string[] = [];
  for (let i = 0; i < 8; i++) {
    await page.keyboard.press('Tab');
    reached.push(await page.evaluate(() => document.activeElement?.textContent ?? ''));
  }
  for (const name of ['All chains', 'How it was asked', 'Save record', 'Save as a page', 'Print'])
    expect(reached).toContain(name);
  await page.keyboard.press('Alt+3');
  await page.locator('h1', { hasText: 'Models' }).waitFor();
  await page.keyboard.press('?');
  await page.locator('dialog').waitFor();
  await page.keyboard.press('Escape');
  await page.locator('dialog').waitFor({ state: 'detached' });
});

test('nothing is asked that was not shown', async () => {
  const { page, box } = await open();
  await box.fill(example);
  await page.keyboard.press('Control+Enter');
  await page.locator('.why-not', { hasText: 'Look at what was read' }).waitFor();
  expect(await page.locator('.read-back').isVisible()).toBe(true);
  expect(await page.locator('.thinking, .card').count()).toBe(0);
  await page.keyboard.press('Control+Enter');
  await page.locator('.card').waitFor();
});

test('what was read can be corrected, and what was taken off put back', async () => {
  const visit = await open();
  const { page, card } = visit;
  await visit.box.fill(`${example}\nAnswer: A`);
  await page.locator('.findings', { hasText: 'Answer: A' }).waitFor();
  await page.getByRole('button', { name: 'Change: Option B' }).click();
  await page.keyboard.press('Control+A');
  await page.keyboard.insertText('2');
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'Leave out option D' }).click();
  expect(await page.locator('.read-back .options .text').allTextContents()).toEqual(['5', '2', '4']);
  await page.getByRole('button', { name: 'Put it back?' }).click();
  await page.locator('form.composer button[type=submit]').click();
  await card.waitFor();
  expect(await page.locator('.asked .options .text').allTextContents()).toEqual(['5', '2', '4']);
  expect(await page.locator('.asked > .text').textContent()).toContain('Answer: A');
});

test('an answer says what it is worth: accuracy before it, counts in words, agreement is not truth, the dissent beside it', async () => {
  const visit = await open();
  await visit.ask(example);
  await visit.card.waitFor();
  const text = await visit.card.innerText();
  expect(text.indexOf('has not been measured on this machine')).toBeLessThan(text.search(/[A-D]\. \d|do not agree/));
  expect(text).toContain('Agreement shows how steady the model is, not whether it is right.');
  expect(text).toContain('It is not a medical device and does not replace a clinician.');
  expect(text).toMatch(/chains say so|do not agree/);
  expect(text).not.toMatch(/\d ?%|✓|✔/);
  expect(await visit.card.locator('.voice').count()).toBeGreaterThan(0);
  expect(visit.errors).toEqual([]);
});

test('chains that do not agree stand side by side, none larger', async () => {
  const visit = await open();
  await visit.ask(example, { chains: 19 });
  await visit.card.waitFor();
  expect(await visit.card.getAttribute('class')).toContain('split');
  expect(await visit.card.locator('h2').textContent()).toMatch(
    /^The chains do not agree: \d+ says? [A-D], \d+ says? [A-D]/,
  );
  const widths = await visit.card
    .locator('.voice')
    .evaluateAll(voices => voices.map(v => Math.round(v.getBoundingClientRect().width)));
  expect(widths.length).toBeGreaterThan(1);
  expect(new Set(widths).size).toBe(1);
});

test('an abstention is a result with its reason, not an error', async () => {
  const visit = await open();
  await visit.ask('Which drug lowers blood pressure?\n\nA. Ramipril\nB. Salbutamol\nC. Ibuprofen', { chains: 1 });
  await visit.card.waitFor();
  expect(await visit.card.getAttribute('class')).toContain('abstained');
  expect(await visit.card.locator('h2').textContent()).toBe('No answer to rely on');
  expect(await visit.card.locator('.under').textContent()).toContain('out of this model’s scope');
  expect(await visit.page.locator('[role=alert]').count()).toBe(0);
});

test('stopped with one key, it shows what there is', async () => {
  const visit = await open();
  const { page, card } = visit;
  await visit.askLong();
  await page.locator('.chain.ended').first().waitFor();
  expect(await page.locator('.chain.waiting').last().textContent()).toContain('waits until chains');
  await page.keyboard.press('Escape');
  await card.waitFor();
  const [, heard, all] = /^Stopped after (\d+) of (\d+)$/.exec((await card.locator('h2').textContent())!)!.map(Number);
  expect(all).toBe(99);
  expect(heard).toBeGreaterThan(0);
  expect(heard).toBeLessThan(99);
});

test('a reload in the middle finds its question again and goes on', async () => {
  const visit = await open();
  const { page, card } = visit;
  await visit.askLong();
  await page.locator('.chain.ended').first().waitFor();
  await page.reload();
  await page.locator('.chain.ended').first().waitFor();
  expect(await page.locator('.asked').innerText()).toContain('Chest pain and fever');
  await page.keyboard.press('Escape');
  await card.waitFor();
  // The answer too is there after a reload, and gone when another question is asked.
  await page.reload();
  await card.waitFor();
  await page.getByRole('button', { name: 'Ask another question' }).click();
  await page.reload();
  await visit.box.waitFor();
});

test('two tabs ask side by side, each its own', async () => {
  const [one, two] = [await open(), await open()];
  await Promise.all([one.ask(example), two.ask(example.replace('age 77', 'age 62'))]);
  await Promise.all([one.card.waitFor(), two.card.waitFor()]);
  expect(await one.page.locator('.asked').innerText()).toContain('age 77');
  expect(await two.page.locator('.asked').innerText()).toContain('age 62');
});

test('an engine that is killed in the middle: the question stays and is asked again, and the record of what had come runs again', async () => {
  const visit = await open();
  const { page, card } = visit;
  holdAt(hold, 'end');
  await visit.ask(example, { chains: 25 });
  await held(hold);
  await page.locator('.chain.ended').first().waitFor();
  process.kill(engineOf(served().process), 'SIGSEGV');
  await page.locator('.card.fault').waitFor();
  const text = await card.innerText();
  expect(text).toContain('The engine stopped.');
  expect(text).toContain('Your question is still here.');
  await page.locator('.failed summary').click();
  expect(await page.locator('.failed').innerText()).toContain('SIGSEGV');
  expect(text).toMatch(/part of a vote, and no result:[\s\S]*\d+ of 25 answered/);
  expect(await page.locator('.asked').innerText()).toContain('previous TIA');
  const record = await visit.saved('Save record');
  expect(JSON.parse(readFileSync(record, 'utf8')).result).toMatchObject({ stoppedBy: 'failed', reason: 'failed' });
  await page.getByRole('button', { name: 'Ask again', exact: true }).click();
  await page.locator('.chain.ended').first().waitFor();
  await page.keyboard.press('Escape');
  await page.locator('.card.stopped').waitFor();
  await visit.screen('records');
  await page.setInputFiles('#record', record);
  expect(await page.locator('.record').innerText()).toMatch(/part of a vote, and no result:\s*\d+ of 25 answered/);
  await page.getByRole('button', { name: 'Run it again' }).click();
  await page.locator('.replay').waitFor();
  expect(await page.locator('.replay').innerText()).toContain('It came out the same');
});

describe('what is taken away', () => {
  test('a record is saved that runs again to the same', async () => {
    const visit = await open();
    const { page } = visit;
    await visit.ask(example);
    await visit.card.waitFor();
    const path = await visit.saved('Save record');
    expect(JSON.parse(readFileSync(path, 'utf8')).schema).toMatch(/^meditron\.evidence/);
    await visit.screen('records');
    await page.setInputFiles('#record', path);
    await page.getByRole('button', { name: 'Run it again' }).click();
    await page.locator('.replay').waitFor();
    expect(await page.locator('.replay').innerText()).toContain('It came out the same');
  });

  test('a saved page and a printed one stand alone', async () => {
    const visit = await open();
    const { page } = visit;
    await visit.ask(example);
    await visit.card.waitFor();
    const html = readFileSync(await visit.saved('Save as a page'), 'utf8');
    expect(html).not.toMatch(/<script|<link|src=|javascript:/i);
    await page.emulateMedia({ media: 'print' });
    const printed = await page.locator('body').innerText();
    const saved = await page.context().browser()!.newPage({ javaScriptEnabled: false });
    await saved.setContent(html);
    const texts = [printed, await saved.locator('body').innerText()];
    for (const text of texts) {
      expect(text).toContain('previous TIA');
      expect(text).toMatch(/A\.\s*5/);
      expect(text).toContain('not for emergencies; decisions stay with whoever examines the patient');
      expect(text).toContain('It is not a medical device and does not replace a clinician.');
      expect(text).toContain('59e3411f7069e06da730f56b197962224dd7b418cb2ea04207a090d19f862ba0');
      expect(text).toMatch(/chains say so|do not agree/);
      expect(text).not.toContain('Ask again');
    }
    const pdf = await page.pdf({ preferCSSPageSize: true });
    expect(pdf.subarray(0, 5).toString()).toBe('%PDF-');
    if (process.env.MEDITRON_SHOTS) await page.pdf({ path: `${process.env.MEDITRON_SHOTS}/print.pdf` });
  });
});

test('no request leaves the machine, and nothing but a choice of one’s own is left in the browser', async () => {
  const visit = await open();
  const { page, requests } = visit;
  await visit.ask(example);
  await visit.card.waitFor();
  for (const screen of ['chat', 'models', 'evaluate', 'records', 'about', 'ask']) await visit.screen(screen);
  expect(requests.length).toBeGreaterThan(5);
  expect(
    requests.filter(url => new URL(url).origin !== new URL(served().url).origin && !url.startsWith('blob:')),
  ).toEqual([]);
  const left = async () => ({
    local: await page.evaluate(() => Object.entries(localStorage)),
    databases: await page.evaluate(async () => (await indexedDB.databases()).length),
    caches: await page.evaluate(async () => (await caches.keys()).length),
    cookies: (await page.context().cookies()).length,
    session: await page.evaluate(() => Object.keys(sessionStorage).sort()),
    url: new URL(page.url()).hash,
  });
  expect(await left()).toEqual({
    ...{ local: [], databases: 0, caches: 0, cookies: 0 },
    // An unguessable number and the key of this start of the server, for a reload of this tab.
    session: ['meditron.ask', 'meditron.key'],
    url: '#/ask',
  });
  await page.selectOption('#language', 'fr');
  await page.selectOption('#theme', 'dark');
  expect((await left()).local.sort()).toEqual([
    ['meditron.language', 'fr'],
    ['meditron.theme', 'dark'],
  ]);
});
