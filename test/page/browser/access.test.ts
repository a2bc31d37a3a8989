import { describe, expect, test } from 'vitest';
import { example, type Visit, withPage } from './harness.js';

const { open } = withPage();

const screens = ['ask', 'chat', 'models', 'evaluate', 'records', 'about'];

/** What is wrong on every screen, and on Ask in each of its states. */
async function everywhere(visit: Visit, check: (where: string) => Promise<void>): Promise<void> {
  for (const screen of screens) {
    await visit.screen(screen);
    await check(screen);
  }
  await visit.screen('ask');
  await visit.box.fill(`${example}\nAnswer: A`);
  await visit.page.locator('.findings').waitFor();
  await visit.page.locator('details.how > summary').click();
  await check('what was read');
  await visit.page.locator('form.composer button[type=submit]').click();
  await visit.card.waitFor();
  for (const summary of await visit.page.locator('details > summary').all()) await summary.click();
  await check('an answer');
}

describe.each([
  ['light', { colorScheme: 'light' }],
  ['dark', { colorScheme: 'dark' }],
  ['right to left', { locale: 'ar' }],
] as const)('%s', (_, options) => {
  test('axe finds nothing on any screen', async () => {
    const visit = await open(options);
    await everywhere(visit, async where => {
      expect(await visit.violations(), where).toEqual([]);
    });
    expect(visit.errors).toEqual([]);
  });
});

test('at 360 pixels, in French, everything is there and nothing has to be scrolled sideways', async () => {
  const visit = await open({ locale: 'fr-FR', viewport: { width: 360, height: 740 } });
  expect(await visit.page.locator('html').getAttribute('lang')).toBe('fr');
  await everywhere(visit, async where => {
    expect(await visit.sideways(), where).toBe(0);
  });
  const text = await visit.card.innerText();
  expect(text).toContain('L’accord montre la constance du modèle, et non s’il a raison.');
  expect(text).toMatch(/chaînes|ne sont pas d’accord/);
  expect(await visit.page.locator('nav').evaluate(nav => nav.getBoundingClientRect().bottom)).toBe(740);
});

test('at 320 pixels, and at 200 % zoom, nothing has to be scrolled sideways', async () => {
  for (const [width, scale] of [
    [320, 1],
    [640, 2],
  ] as const) {
    const visit = await open({ viewport: { width: width / scale, height: 640 / scale }, deviceScaleFactor: scale });
    await everywhere(visit, async where => {
      expect(await visit.sideways(), `${where} at ${width}`).toBe(0);
    });
  }
});

test('while chains run, axe finds nothing, and only counts are announced', async () => {
  const visit = await open();
  const { page } = visit;
  await visit.askLong();
  await page.locator('.chain.ended').first().waitFor();
  expect(await visit.violations()).toEqual([]);
  const live = page.locator('[aria-live=polite]');
  await expect.poll(() => live.textContent()).toMatch(/^\d+ of 99 chains have answered\.$/);
  expect(await live.count()).toBe(1);
  await page.keyboard.press('Escape');
  await visit.card.waitFor();
});
