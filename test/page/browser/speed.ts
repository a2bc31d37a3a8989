// Measures the page in Chromium: its size, its first paint, and what drawing costs an answer of five long chains. Usage: npm run bench:page
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Page } from 'playwright-core';
import { machine, spread } from '../../../bench/machine.js';
import { ended, launch, serve, Visit } from './harness.js';

const opened = 7;

/** Answers with the page drawing and without, in turn. */
const rounds = 4;
const chains = 5;
const root = resolve(import.meta.dirname, '..', '..', '..');
const built = join(root, 'dist', 'page');

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
// Room for all chains at once.
const long = await serve(['--ctx', '8192', '--parallel', '8']);
try {
  const about = await machine();
  const found = { compressedBytes: sizeOf(built), ...(await paint()), ...(await fiveChains()) };
  const report = { machine: about, ...found };
  writeFileSync(resolve(root, 'bench', 'results', 'page.json'), `${JSON.stringify(report, null, 2)}\n`);
  console.log(JSON.stringify(report, null, 2));
} finally {
  await browser.close();
  await Promise.all([ended(served.process), ended(long.process)]);
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

/**
 * The same answer while the page draws it and while nobody does: asked by the page, then of the server alone, with the page open and at rest. The model that ships
 * writes faster than any that is of use, in a format that it has not learned until it is cut off: the most that a page has to show. Times are the server's.
 */
async function fiveChains() {
  const { page, at, close } = await visit(long);
  await at.box.fill('Tell me a story.');
  await page.locator('.read-back').waitFor();
  await page.locator('details.how > summary').click();
  await page.selectOption('#how-format', 'llama-2');
  await page.fill('#how-samples', String(chains));
  await page.locator('#how-samples').blur();
  // Here hardly a chain ends before it is cut off.
  await page.fill('#how-temperature', '0.4');
  await page.locator('#how-temperature').blur();
  const session = await page.context().newCDPSession(page);
  await session.send('Performance.enable');
  const busy = async () => {
    const { metrics } = await session.send('Performance.getMetrics');
    return metrics.find(({ name }) => name === 'TaskDuration')!.value;
  };
  await page.evaluate(watching);
  let body: Record<string, unknown> = {};
  page.on('request', request => {
    if (request.url().endsWith('/v1/meditron/ask')) body = request.postDataJSON();
  });
  const button = page.locator('form.composer button[type=submit]');
  const again = page.getByRole('button', { name: 'Ask again with another seed' });
  const found: { page: Cost & { core: number }; alone: Cost }[] = [];
  const drawn = async (click: () => Promise<void>) => {
    const before = await busy();
    await click();
    await again.waitFor({ timeout: 120_000 });
    const core = (await busy()) - before;
    return { ...(await costOf(String(body.id))), core };
  };
  // One before, which loads the model.
  await drawn(() => button.click());
  for (let round = 0; round < rounds; round++) {
    const asked = { ...body, seed: Number(body.seed) + 1 };
    // Now this way round, now that: what the machine does meanwhile falls on both.
    const first = round % 2 === 0 ? await costAlone(asked) : null;
    const page = await drawn(async () => {
      await again.click();
      await again.waitFor({ state: 'detached' });
    });
    const alone = first ?? (await costAlone(asked));
    console.error(`drawn ${page.milliseconds} ms, alone ${alone.milliseconds} ms, ${page.sampledTokens} tokens`);
    found.push({ page, alone });
  }
  const { gaps, long: tasks } = await page.evaluate<Watched>('({ gaps, long })');
  await close();
  return {
    fiveChains: {
      ...{ rounds, chains, tokensOfChain: spread(found.map(({ page }) => page.sampledTokens / chains)) },
      drawnMs: spread(found.map(({ page }) => page.milliseconds)),
      aloneMs: spread(found.map(({ alone }) => alone.milliseconds)),
      ratio: spread(found.map(({ page, alone }) => round3(page.milliseconds / alone.milliseconds))),
      shareOfCore: spread(found.map(({ page }) => round3((1000 * page.core) / page.milliseconds))),
      tasksOver50Ms: tasks.length,
      longestTaskMs: Math.round(Math.max(0, ...tasks)),
      framesOver100Ms: gaps.filter(gap => gap > 100).length,
      longestFrameMs: Math.round(Math.max(0, ...gaps)),
    },
  };
}

interface Cost {
  readonly milliseconds: number;
  readonly sampledTokens: number;
}

function round3(value: number): number {
  return Number(value.toFixed(3));
}

/** What an answer took, as its record says. */
async function costOf(id: string): Promise<Cost> {
  const response = await fetch(`${long.url}/v1/meditron/asks/${id}`, { headers: { Accept: 'application/json' } });
  const { answer } = (await response.json()) as { answer: { evidence: { cost: Cost } } };
  return answer.evidence.cost;
}

/** Asked by a client that lets the events go by. */
async function costAlone(asked: Record<string, unknown>): Promise<Cost> {
  const id = randomBytes(16).toString('hex');
  const response = await fetch(`${long.url}/v1/meditron/ask`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Accept: 'text/event-stream' },
    body: JSON.stringify({ ...asked, id }),
  });
  for await (const _ of response.body!);
  return costOf(id);
}

async function visit(of = served): Promise<{ page: Page; at: Visit; close: () => Promise<void> }> {
  const context = await browser.newContext({ locale: 'en-GB', viewport: { width: 1100, height: 800 } });
  const page = await context.newPage();
  const at = new Visit(page);
  await at.goTo(of.page);
  return { page, at, close: () => context.close() };
}
