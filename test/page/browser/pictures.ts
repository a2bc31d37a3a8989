// Draws README's two pictures anew: the page and the command, each answering the example of the model that ships. Usage: npm run pictures
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { ended, example, launch, serve, Visit } from './harness.js';

const root = resolve(import.meta.dirname, '..', '..', '..');
const out = join(root, 'docs', 'pictures');

mkdirSync(out, { recursive: true });
const browser = await launch();
try {
  await drawPage();
  await drawTerminal();
} finally {
  await browser.close();
}

async function drawPage(): Promise<void> {
  const served = await serve();
  try {
    const page = await opened(browser, 820, 1000);
    const visit = new Visit(page);
    await visit.goTo(served.page);
    await visit.ask(example);
    await visit.card.waitFor();
    await page.evaluate(() => scrollTo(0, 0));
    await page.screenshot({ path: join(out, 'page.png') });
  } finally {
    await ended(served.process);
  }
}

async function drawTerminal(): Promise<void> {
  const { stdout, status } = spawnSync(process.execPath, ['bin/meditron.js', 'demo'], { cwd: root, encoding: 'utf8' });
  if (status !== 0) throw new Error(`meditron demo ended with code ${status}`);
  const page = await opened(browser, 1000, 700);
  await page.setContent(`<pre></pre>
    <style>
      body { margin: 0; background: #16181d; color: #e6e6e6 }
      pre { display: inline-block; margin: 0; padding: 20px; font: 15px/1.4 monospace }
    </style>`);
  await page.evaluate(text => {
    document.querySelector('pre')!.textContent = text;
  }, `$ npx meditron demo\n${stdout.trimEnd()}`);
  await page.locator('pre').screenshot({ path: join(out, 'terminal.png') });
}

async function opened(browser: Browser, width: number, height: number): Promise<Page> {
  const context = await browser.newContext({ locale: 'en-GB', colorScheme: 'light', viewport: { width, height } });
  return context.newPage();
}
