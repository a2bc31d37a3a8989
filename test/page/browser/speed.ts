// Measures the page in Chromium: its size, its first paint, and what it takes of a core while five chains run. Usage: tsx test/page/browser/speed.ts
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Page } from 'playwright-core';
import { ended, launch, serve, Visit } from './harness.js';

const opened = 7;
const built = resolve(import.meta.dirname, '..', '..', '..', 'dist', 'page');

/** In the page: every task that holds it up, and the time between frames. As text, because what compiles this file would add to it. */
const watching = `{
  globalThis.gaps = [];
  globalThis.long = [];
  new PerformanceObserver(list => long.push(...list.getEntries().map(({ duration }) => duration))).observe({ entryTypes: ['longtask'] });
  let last = performance.now();
  const frame = now => {
    gaps.push(now - last);
    last = now;
    requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
}`;

/** Milliseconds each. */
interface Watched {
  readonly gaps: readonly number[];
  readonly long: readonly number[];
}

const browser = await launch();
const served = await serve();
const stories = await serve(['--model', resolve(built, '..', '..', 'models', 'stories260K.gguf')]);
try {
  console.log(JSON.stringify({ compressedBytes: sizeOf(built), ...(await paint()), ...(await fiveChains()) }, null, 2));
} finally {
  await browser.close();
  await Promise.all([ended(served.process), ended(stories.process)]);
}

function sizeOf(folder: string): number {
  const files = readdirSync(folder).filter(name => /\.(js|css)$/.test(name));
  return files.reduce((sum, name) => sum + gzipSync(readFileSync(join(folder, name))).length, 0);
}

/** Milliseconds from the request to the first contentful paint, each time with nothing kept from before. */
async function paint() {
  const times: number[] = [];
  for (let i = 0; i < opened; i++) {
    const { page, close } = await visit();
    await page.waitForFunction(() => performance.getEntriesByName('first-contentful-paint').length > 0);
    times.push(await page.evaluate(() => performance.getEntriesByName('first-contentful-paint')[0]!.startTime));
    await close();
  }
  times.sort((a, b) => a - b);
  return { firstPaintMs: { median: Math.round(times[opened >> 1]!), longest: Math.round(times.at(-1)!) } };
}

/** Five chains of the smallest model there is, which writes faster than any other and until it is cut off: the most that a page has to show. */
async function fiveChains() {
  const { page, at, close } = await visit(stories);
  await at.box.fill('Once upon a time there was a girl. What did she do?');
  await page.locator('.read-back').waitFor();
  await page.locator('details.how > summary').click();
  await page.selectOption('#how-format', 'raw');
  await page.fill('#how-samples', '5');
  await page.locator('#how-samples').blur();
  const session = await page.context().newCDPSession(page);
  await session.send('Performance.enable');
  const busy = async () => {
    const { metrics } = await session.send('Performance.getMetrics');
    return metrics.find(({ name }) => name === 'TaskDuration')!.value;
  };
  await page.evaluate(watching);
  const [before, began] = [await busy(), performance.now()];
  await page.locator('form.composer button[type=submit]').click();
  await at.card.waitFor({ timeout: 120_000 });
  const seconds = (performance.now() - began) / 1000;
  const share = (await busy()) - before;
  const { gaps, long } = await page.evaluate<Watched>('({ gaps, long })');
  await close();
  return {
    fiveChains: {
      seconds: Number(seconds.toFixed(1)),
      shareOfCore: Number((share / seconds).toFixed(3)),
      tasksOver50Ms: long.length,
      longestTaskMs: Math.round(Math.max(0, ...long)),
      framesOver100Ms: gaps.filter(gap => gap > 100).length,
      longestFrameMs: Math.round(Math.max(0, ...gaps)),
    },
  };
}

async function visit(of = served): Promise<{ page: Page; at: Visit; close: () => Promise<void> }> {
  const context = await browser.newContext({ locale: 'en-GB', viewport: { width: 1100, height: 800 } });
  const page = await context.newPage();
  const at = new Visit(page);
  await at.goTo(of.page);
  return { page, at, close: () => context.close() };
}
