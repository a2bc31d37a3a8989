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

// 320 pixels are also what a window of 1280 has at 400 % zoom.
test.each([320, 360, 640])(
  'at %i pixels, in every language, everything fits, can be hit, and shows the focus',
  async width => {
    const visit = await open({ locale: 'fr-FR', viewport: { width, height: 740 } });
    expect(await visit.page.locator('html').getAttribute('lang')).toBe('fr');
    await everywhere(visit, async where => {
      expect.soft(await visit.misfits(), where).toEqual([]);
      if (width === 360) expect.soft(await visit.hidden(), where).toEqual([]);
    });
    const text = await visit.card.innerText();
    expect(text).toContain('L’accord montre la constance du modèle, et non s’il a raison.');
    expect(text).toMatch(/chaînes|ne sont pas d’accord/);
    const nav = await visit.page.locator('nav').evaluate(nav => nav.getBoundingClientRect().bottom);
    expect(nav === 740).toBe(width < 600);
  },
);

test('who uses the keyboard keeps the place, whatever goes away', async () => {
  const visit = await open({ viewport: { width: 360, height: 740 } });
  const { page } = visit;
  /** What has the focus after a key on what has this name. */
  const after = async (name: string, key = 'Enter') => {
    await page.getByRole('button', { name, exact: true }).focus();
    await page.keyboard.press(key);
    // What goes away goes with the next frame.
    await page.evaluate(() => new Promise(resolve => requestAnimationFrame(() => setTimeout(resolve, 50))));
    return page.evaluate(() => document.activeElement!.tagName);
  };
  await visit.box.fill(`${example}\nAnswer: A`);
  await page.locator('.findings').waitFor();
  expect(await after('Change: Option B')).toBe('TEXTAREA');
  await page.keyboard.press('Enter');
  await page.locator('.editing').waitFor({ state: 'detached' });
  expect(await page.evaluate(() => document.activeElement!.tagName)).toBe('LI');
  await page.keyboard.press('Tab');
  expect(await page.evaluate(() => document.activeElement!.ariaLabel)).toBe('Change: Option B');
  expect(await after('Leave out option D')).not.toBe('BODY');
  expect(await after('Put it back?')).toBe('LI');
  expect(await after('Ask it as an open question')).not.toBe('BODY');
  expect(await after('Ask once')).not.toBe('BODY');
  await visit.card.waitFor();
  expect(await after('Ask another question')).not.toBe('BODY');
  await page.evaluate(() => scrollTo(0, 9999));
  await page.keyboard.press('Alt+3');
  await page.locator('h1', { hasText: 'Models' }).waitFor();
  expect(await page.evaluate(() => document.activeElement!.tagName)).toBe('MAIN');
  expect(await page.evaluate(() => scrollY)).toBe(0);
});

test('while chains run, axe finds nothing, and only counts are announced', async () => {
  const visit = await open();
  const { page } = visit;
  await visit.askLong();
  await page.locator('.chain.ended').first().waitFor();
  expect(await visit.violations()).toEqual([]);
  const live = page.locator('[aria-live=polite]');
  // What was read was told before; between two announcements there are three seconds.
  await expect.poll(() => live.textContent(), { timeout: 30_000 }).toMatch(/^\d+ of 99 chains ha(?:s|ve) answered\.$/);
  expect(await live.count()).toBe(1);
  await page.keyboard.press('Escape');
  await visit.card.waitFor();
});
