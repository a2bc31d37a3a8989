import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { example, type Visit, withPage } from './harness.js';

const { served, open } = withPage();

const folder = mkdtempSync(join(tmpdir(), 'rough-'));

function file(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

/** Lets a file of the person's fall on something, as the browser does it. True: the page took care of it. */
const dropped = (page: Page, on: string): Promise<boolean> =>
  page.evaluate(selector => {
    const dataTransfer = new DataTransfer();
    dataTransfer.items.add(new File(['GIF89a'], 'scan.gif', { type: 'image/gif' }));
    const target = document.querySelector(selector)!;
    return ['dragover', 'drop'].every(type => {
      const event = new DragEvent(type, { dataTransfer, bubbles: true, cancelable: true });
      target.dispatchEvent(event);
      return event.defaultPrevented;
    });
  }, on);

describe('a file of the wrong kind', () => {
  test('that falls beside its place leaves the page and the question where they are', async () => {
    const visit = await open();
    const { page } = visit;
    await visit.box.fill(example);
    await page.locator('.read-back').waitFor();
    for (const on of ['#question', 'body', '.top', '.foot']) expect(await dropped(page, on), on).toBe(true);
    for (const screen of ['chat', 'models', 'evaluate', 'records', 'about']) {
      await visit.screen(screen);
      expect(await dropped(page, 'main'), screen).toBe(true);
    }
    expect(await page.locator('.record, .failed').count()).toBe(0);
    await visit.screen('ask');
    expect(await visit.box.inputValue()).toBe(example);
    expect(visit.errors).toEqual([]);
  });

  test.each([
    ['a picture', file('scan.json', new Uint8Array([0x47, 0x49, 0x46, 0x38, 0xff, 0xfe, 0]))],
    ['an empty one', file('empty.json', '')],
    ['another JSON', file('other.json', '{"schema": 7, "members": [null]}')],
    ['no object', file('null.json', 'null')],
    ['a part that is damaged', file('part.json', '{"schema": "meditron.partial.v1", "samples": [{}], "planned": 3}')],
  ])('in place of a record (%s) is said to be none', async (_, path) => {
    const visit = await open();
    const { page } = visit;
    await visit.screen('records');
    await page.setInputFiles('#record', path);
    await page.locator('.failed').waitFor();
    expect(await page.locator('.failed .what').innerText()).toBe(
      'This is no record of Meditron, or one of another version.',
    );
    expect(await page.locator('.record').count()).toBe(0);
  });
});

test('a file that is too large to be opened is said to be', async () => {
  const visit = await open();
  const { page } = visit;
  await visit.screen('records');
  await page.setInputFiles('#record', file('large.json', 'x'.repeat(6_000_000)));
  await page.locator('.failed .what', { hasText: 'This file is too large to be opened here.' }).waitFor();
  expect(visit.errors).toEqual([]);
});

describe('a question', () => {
  test('that is empty, or blank, asks nothing and says so', async () => {
    const visit = await open();
    const { page } = visit;
    for (const text of ['', ' \n\t ', '\u200b\u200e']) {
      await visit.box.fill(text);
      await page.keyboard.press('Control+Enter');
      await page.locator('form .why-not, form .failed').first().waitFor();
    }
    expect(await page.locator('.thinking, .card').count()).toBe(0);
    await visit.screen('chat');
    await page.locator('#message').fill('  ');
    await page.keyboard.press('Control+Enter');
    expect(await page.locator('.turn').count()).toBe(0);
  });

  test.each([999_000, 1_100_000])('of %i characters is refused with what to do, and stays', async length => {
    const visit = await open();
    const { page } = visit;
    const text = `${'fever and cough '.repeat(length / 16)}What is it?\nA. Flu\nB. Cold`;
    await visit.box.fill(text);
    await page.keyboard.press('Control+Enter');
    await page.locator('.read-back, form .failed').first().waitFor();
    const began = Date.now();
    await page.keyboard.press('Control+Enter');
    await page.locator('.failed').waitFor();
    expect(await page.locator('.failed .what').innerText()).toBe(
      'The question is too long for this model. Shorten it.',
    );
    expect(Date.now() - began).toBeLessThan(20_000);
    const back = page.getByRole('button', { name: 'Ask another question' });
    if ((await back.count()) > 0) await back.click();
    expect((await visit.box.inputValue()).length).toBe(text.length);
  });
});

test('away and back in the middle of an answer, in the page and out of it, finds the answer', async () => {
  const visit = await open();
  const { page } = visit;
  await visit.askLong();
  await page.locator('.chain.ended').first().waitFor();
  await page.keyboard.press('Alt+3');
  await page.locator('h1', { hasText: 'Models' }).waitFor();
  await page.goBack();
  await page.locator('.chain.ended').first().waitFor();
  await page.goto('about:blank');
  await page.goBack();
  await page.locator('.chain.ended').first().waitFor();
  expect(await page.locator('.asked').innerText()).toContain('Chest pain and fever');
  await page.keyboard.press('Escape');
  await visit.card.waitFor();
  expect(visit.errors).toEqual([]);
});

test('a tab that was doubled in the middle watches the same answer, and neither takes it from the other', async () => {
  const visit = await open();
  const { page } = visit;
  await visit.askLong();
  await page.locator('.chain.ended').first().waitFor();
  // What the browser hands on to the double.
  const kept = await page.evaluate(() => Object.entries(sessionStorage));
  const double = await page.context().newPage();
  await double.addInitScript(entries => {
    for (const [name, value] of entries) sessionStorage.setItem(name, value);
  }, kept);
  await double.goto(page.url());
  await double.locator('.chain.ended').first().waitFor();
  await double.keyboard.press('Escape');
  await double.locator('.card').waitFor();
  await visit.card.waitFor();
  const heads = [visit.card, double.locator('.card')].map(card => card.locator('h2').textContent());
  expect(new Set(await Promise.all(heads)).size).toBe(1);
  await double.getByRole('button', { name: 'Ask another question' }).click();
  expect(await visit.card.isVisible()).toBe(true);
  await double.close();
});

test('a browser that forbids storage asks, chooses a language, and keeps nothing', async () => {
  const fresh = await withoutStorage();
  const { page } = fresh;
  await page.selectOption('#language', 'de');
  await page.selectOption('#theme', 'dark');
  await fresh.ask(example);
  await fresh.card.waitFor();
  await fresh.screen('records');
  await page.locator('.history form').waitFor();
  expect(fresh.errors).toEqual([]);
});

async function withoutStorage(): Promise<Visit> {
  const visit = await open({ at: served().url });
  await visit.page.addInitScript(() => {
    for (const name of ['localStorage', 'sessionStorage'] as const)
      Object.defineProperty(window, name, {
        get() {
          throw new DOMException('forbidden', 'SecurityError');
        },
      });
  });
  await visit.page.goto('about:blank');
  await visit.goTo(served().page);
  return visit;
}

test('words without an end fit, in German, at 200 % zoom of a narrow window', async () => {
  const visit = await open({ locale: 'de', viewport: { width: 320, height: 400 } });
  const { page } = visit;
  const word = 'Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft'.repeat(3);
  const question = `${word} ${example.split('\n')[0]}\n\nA. ${word}\nB. 1\nC. 4\nD. 3\nAnswer: A`;
  await visit.box.fill(question);
  await page.locator('.findings').waitFor();
  expect.soft(await visit.misfits(), 'what was read').toEqual([]);
  await page.locator('form.composer button[type=submit]').click();
  await visit.card.waitFor();
  for (const summary of await page.locator('details > summary').all()) await summary.click();
  expect.soft(await visit.misfits(), 'an answer').toEqual([]);
  const record = await visit.saved('Protokoll speichern');
  await visit.screen('records');
  await page.setInputFiles('#record', record);
  await page.locator('.record').waitFor();
  for (const summary of await page.locator('.record details > summary').all()) await summary.click();
  expect.soft(await visit.misfits(), 'a record').toEqual([]);
  await visit.screen('chat');
  await page.fill('#message', word);
  await page.keyboard.press('Control+Enter');
  await page.locator('.turns ~ .actions button').nth(1).waitFor();
  expect.soft(await visit.misfits(), 'a conversation').toEqual([]);
  await visit.screen('evaluate');
  await page.fill('#run-file', `/nowhere/${word}.jsonl`);
  await page.locator('form.panel button[type=submit]').click();
  await page.locator('.failed').waitFor();
  await page.locator('.failed summary').click();
  // A field scrolls.
  await page.fill('#run-file', '');
  expect.soft(await visit.misfits(), 'a failure').toEqual([]);
});
