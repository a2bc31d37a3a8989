import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bundle } from '../../examples/electron/build.mjs';
import { Assistant } from '../../examples/electron/src/engine.js';
import { serve } from '../../examples/electron/src/ipc.js';
import { page } from '../../examples/electron/src/pages.js';
import { channels, type Progress, type Result, type Step } from '../../examples/electron/src/shared.js';
import { Browser, chromium } from './chromium.js';
import { MainStandIn, WindowStandIn } from './standin.js';

// What is real here: Chromium, the page with its policy, the preload script, the engine. Electron's messages are carried by hand.
describe.skipIf(!chromium)('in Chromium (skipped where it is not installed) the page', () => {
  const root = resolve(import.meta.dirname, '../..');
  let folder: string;
  let browser: Browser;
  let steps: Steps;
  const assistant = new Assistant({ modelPath: join(root, 'models/meditron-mini.gguf'), nodePath: process.execPath });
  /** What Chromium complained of: scripts that failed, requests and styles that the policy refused. */
  const complaints: string[] = [];

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'meditron-renderer-'));
    browser = new Browser();
    await bundle(folder);
    const main = new MainStandIn();
    const window = new WindowStandIn(main);
    serve(main, assistant)(window.contents);
    steps = new Steps(() => window.invoke(channels.next) as Promise<Result<Step>>);
    await browser.start();
    browser.on('Fetch.requestPaused', async ({ requestId, request }) => {
      const served = await page(request.url.replace(/^https:/, 'app:'), join(folder, 'renderer'));
      await browser.send('Fetch.fulfillRequest', {
        requestId,
        responseCode: served.status,
        responseHeaders: [...served.headers].map(([name, value]) => ({ name, value })),
        body: Buffer.from(await served.arrayBuffer()).toString('base64'),
      });
    });
    browser.on('Runtime.bindingCalled', async ({ payload }) => {
      const { id, channel, given } = JSON.parse(payload);
      const answer = JSON.stringify(await (channel === channels.next ? steps.next() : window.invoke(channel, given)));
      await browser.value(`answered(${id}, ${answer})`);
    });
    browser.on('Runtime.exceptionThrown', ({ exceptionDetails }) => complaints.push(exceptionDetails.text));
    browser.on('Log.entryAdded', ({ entry }) => {
      if (!/favicon/.test(entry.url ?? '')) complaints.push(entry.text);
    });
    await browser.send('Runtime.enable');
    await browser.send('Log.enable');
    await browser.send('Page.enable');
    await browser.send('Fetch.enable', { patterns: [{ urlPattern: '*' }] });
    await browser.send('Runtime.addBinding', { name: 'carry' });
    await browser.send('Page.addScriptToEvaluateOnNewDocument', { source: preload(join(folder, 'preload.cjs')) });
    await browser.send('Page.navigate', { url: 'https://meditron/index.html' });
  });

  afterAll(async () => {
    await browser.close();
    await assistant.close();
    rmSync(folder, { recursive: true });
  });

  /** Waits until an expression is true, looking whenever the page changes. */
  const until = (expression: string) =>
    browser.value(`new Promise(done => {
      const look = () => { if (${expression}) done(); else requestAnimationFrame(look); };
      look();
    })`);
  const textOf = (id: string): Promise<string> => browser.value(`document.getElementById('${id}').textContent`);
  const answered = "document.getElementById('result').dataset.decision !== undefined";

  test('loads under its policy, names the model and waits with the cursor in the question', async () => {
    await until("document.getElementById('model')?.textContent.includes('offline')");
    expect(await textOf('model')).toMatch(/meditron-mini/i);
    expect(await browser.value('document.activeElement.id')).toBe('text');
    expect(await browser.value('typeof require + typeof process')).toBe('undefinedundefined');
    expect(complaints).toEqual([]);
  });

  test('asks, shows votes as they come and the answer in words, with the focus on it', async () => {
    await browser.value(`
      window.counts = [];
      const given = list => list.reduce((sum, line) => sum + line.querySelectorAll('.given').length, 0);
      new MutationObserver(changes => counts.push(...changes.map(({ addedNodes }) => given([...addedNodes]))))
        .observe(document.getElementById('options'), { childList: true });`);
    await browser.press('Enter', 2);
    await until(answered);
    const counts: number[] = await browser.value('counts');
    expect(counts[0]).toBe(0);
    expect(counts).toEqual(counts.toSorted((a, b) => a - b));
    expect(new Set(counts).size).toBeGreaterThan(2);
    expect(await textOf('summary')).toMatch(/\d of \d|all|no/i);
    expect(await textOf('result')).not.toMatch(/\d\s*%/);
    expect(await textOf('notice')).toContain('not a medical device');
    expect(await browser.value('document.activeElement.id')).toBe('verdict');
    expect(complaints).toEqual([]);
    if (process.env.MEDITRON_SCREENSHOT) {
      const { data } = await browser.send('Page.captureScreenshot', { captureBeyondViewport: true });
      writeFileSync(process.env.MEDITRON_SCREENSHOT, Buffer.from(data, 'base64'));
    }
  });

  test('stops with one key, shows what there is, and may ask again', async () => {
    await browser.value("document.getElementById('samples').value = '9'");
    const goOn = steps.waitAfter('text');
    await browser.press('Enter', 2);
    await until(`document.getElementById('samples-list').textContent !== '' && !(${answered})`);
    await browser.press('Escape');
    goOn();
    await until(answered);
    expect(await browser.value("document.getElementById('ask').disabled")).toBe(false);
    expect(await browser.value("document.getElementById('stop').disabled")).toBe(true);
    expect(complaints).toEqual([]);
  });

  test('shows text of a question as text, never as markup', async () => {
    await browser.value(
      "document.getElementById('text').value = '<img src=x onerror=alert(1)>?\\n\\nA. <b>5</b>\\nB. 1'",
    );
    await browser.press('Enter', 2);
    await until("document.getElementById('question').textContent.includes('<img')");
    await browser.press('Escape');
    await until(answered);
    expect(await browser.value("document.querySelectorAll('img, b').length")).toBe(0);
    expect(complaints).toEqual([]);
  });

  test('is as wide as a narrow window', async () => {
    await browser.send('Emulation.setDeviceMetricsOverride', {
      width: 380,
      height: 800,
      deviceScaleFactor: 1,
      mobile: false,
    });
    expect(await browser.value('document.documentElement.scrollWidth')).toBeLessThanOrEqual(380);
  });
});

/** What happens as a page is told of it: one thing at a time, however much has happened when it asks, and on request no more for a while. */
class Steps {
  readonly #events: Progress[] = [];
  #last: Result<Step> | undefined;
  #waitAfter: Progress['type'] | undefined;
  #waiting = Promise.resolve();

  constructor(private readonly fetch: () => Promise<Result<Step>>) {}

  /** The page is told nothing that comes after the next of these until the function is called that is returned. */
  waitAfter(type: Progress['type']): () => void {
    let goOn = () => {};
    this.#waitAfter = type;
    this.#waiting = new Promise(resolve => {
      goOn = resolve;
    });
    return goOn;
  }

  async next(): Promise<Result<Step>> {
    if (!this.#waitAfter) await this.#waiting;
    if (this.#events.length === 0 && !this.#last) {
      const step = await this.fetch();
      if (!step.ok) return step;
      this.#events.push(...step.value.events);
      if (step.value.answer) this.#last = { ok: true, value: { ...step.value, events: [] } };
    }
    const event = this.#events.shift();
    if (event?.type === this.#waitAfter) this.#waitAfter = undefined;
    if (event || !this.#last) return { ok: true, value: { events: event ? [event] : [], answer: null } };
    const last = this.#last;
    this.#last = undefined;
    return last;
  }
}

/** The preload script, with Electron's two modules of it carried over a binding of the protocol. */
function preload(file: string): string {
  return `{
    const waiting = [];
    window.answered = (id, value) => waiting[id](value);
    const electron = {
      contextBridge: { exposeInMainWorld: (name, api) => { window[name] = api; } },
      ipcRenderer: {
        invoke: (channel, given) => new Promise(resolve => {
          carry(JSON.stringify({ id: waiting.push(resolve) - 1, channel, given }));
        }),
      },
    };
    (function (require) { ${readFileSync(file, 'utf8')} })(() => electron);
  }`;
}
