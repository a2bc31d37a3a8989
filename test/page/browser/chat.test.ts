import { expect, test } from 'vitest';
import { type Visit, withPage } from './harness.js';

// A quarter of the context is what an answer may have at once: it is cut off there, and there is room for more.
const { open } = withPage(['--parallel', '4', '--ctx', '2048']);

/** A conversation in a format that the model has not learned, in which it writes on and on. */
async function talking(options: Parameters<typeof open>[0] = {}): Promise<Visit> {
  const visit = await open(options);
  const { page } = visit;
  await page.locator('details.how > summary').click();
  await page.selectOption('#how-format', 'llama-2');
  await visit.screen('chat');
  await page.locator('#message').focus();
  await page.keyboard.insertText('Tell me a story.');
  await page.keyboard.press('Control+Enter');
  await page.locator('.turn.assistant .model-text:not(:empty)').waitFor();
  return visit;
}

const written = async ({ page }: Visit) => (await page.locator('.turn.assistant .model-text').textContent())!;

test('a conversation streams, is stopped, taken back and begun anew', async () => {
  const visit = await talking();
  const { page } = visit;
  expect(await page.locator('.turns ~ .actions').innerText()).toMatch(/^Stop/);
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: 'Begin anew' }).waitFor();
  await page.locator('.room', { hasText: /Room for about/ }).waitFor();
  expect(await visit.violations()).toEqual([]);
  await page.getByRole('button', { name: 'Change the last question' }).click();
  expect(await page.locator('#message').inputValue()).toBe('Tell me a story.');
  expect(await page.locator('.turn').count()).toBe(0);
});

test('an answer that was stopped or cut off goes on where it was, until the context is full; the keyboard keeps its place', async () => {
  const visit = await talking();
  const { page } = visit;
  const goOn = page.getByRole('button', { name: 'Continue' });
  await page.keyboard.press('Escape');
  await page.locator('.turn', { hasText: /stopped$/ }).waitFor();
  const stopped = await written(visit);
  await goOn.focus();
  await page.keyboard.press('Enter');
  // The next stop of the keyboard is what stops it.
  await page.keyboard.press('Tab');
  expect(await page.evaluate(() => document.activeElement!.className)).toBe('stop');
  await page.locator('.turn', { hasText: 'cut off at its longest length' }).waitFor();
  let before = await written(visit);
  expect(before.startsWith(stopped)).toBe(true);
  expect(before.length).toBeGreaterThan(stopped.length);
  await page.keyboard.press('Tab');
  expect(await page.evaluate(() => document.activeElement!.textContent)).toBe('Continue');
  for (let more = 0; more < 8 && (await goOn.count()) > 0; more++) {
    await goOn.click();
    await page.getByRole('button', { name: 'Begin anew' }).waitFor();
    const now = await written(visit);
    expect(now.startsWith(before)).toBe(true);
    before = now;
    await page.locator('.room').waitFor();
  }
  expect(await page.locator('.room').innerText()).toContain('The context is full: begin anew');
  // It is one answer, to the one question that the person asked.
  expect(await page.locator('.turn').count()).toBe(2);
  expect(visit.errors).toEqual([]);
  await page.getByRole('button', { name: 'Change the last question' }).click();
  expect(await page.locator('#message').inputValue()).toBe('Tell me a story.');
});

test('what does not fit the context is said in words of the conversation, and what was said stays', async () => {
  const visit = await talking();
  const { page } = visit;
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: 'Begin anew' }).waitFor();
  const before = await written(visit);
  await page.fill('#message', 'fever and cough '.repeat(2000));
  await page.keyboard.press('Control+Enter');
  await page.locator('.failed').waitFor();
  expect(await page.locator('.failed .what').innerText()).toContain('begin anew, or change the last question');
  expect(await page.locator('.turn.assistant .model-text').first().textContent()).toBe(before);
  await page.getByRole('button', { name: 'Change the last question' }).click();
  expect(await page.locator('.turn').count()).toBe(2);
  expect(await page.locator('.failed').count()).toBe(0);
});

test.each([
  ['narrow, dark, in German', { locale: 'de', colorScheme: 'dark', viewport: { width: 320, height: 640 } }],
  ['from right to left', { locale: 'ar', viewport: { width: 360, height: 740 } }],
] as const)('%s: what stops a long answer stays in sight, and everything fits when it goes on', async (_, options) => {
  const visit = await talking(options);
  const { page } = visit;
  const lines = page.locator('.turn.assistant .model-text');
  await expect.poll(() => lines.evaluate(text => text.getBoundingClientRect().height > innerHeight)).toBe(true);
  const stop = page.locator('.turns ~ .actions .stop');
  expect(
    await stop.evaluate(button => {
      const { left, top, width, height } = button.getBoundingClientRect();
      return button.contains(document.elementFromPoint(left + width / 2, top + height - 2));
    }),
  ).toBe(true);
  await stop.click();
  await page.locator('.room').waitFor();
  expect(await visit.misfits()).toEqual([]);
  expect(await visit.violations()).toEqual([]);
  await page.locator('.turns ~ .actions button').first().click();
  await page.locator('.turns ~ .actions .stop').waitFor();
  expect(await visit.violations()).toEqual([]);
  await page.keyboard.press('Escape');
  await page.locator('.turns ~ .actions .stop').waitFor({ state: 'detached' });
});
