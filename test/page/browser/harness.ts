import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import axe from 'axe-core';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, expect } from 'vitest';

const root = resolve(import.meta.dirname, '..', '..', '..');

/** A server as users start it, with the model that ships. */
export interface Served {
  /** With the key of the page. */
  readonly page: string;
  readonly url: string;
  readonly process: ChildProcess;
  /** A folder for this server alone. */
  readonly state: string;
}

/** One server and one browser for the tests of a file. */
export function withPage(
  args: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): { readonly served: () => Served; readonly open: typeof open } {
  let browser: Browser;
  let served: Served;
  beforeAll(async () => {
    [browser, served] = await Promise.all([launch(), serve(args, env)]);
  });
  afterAll(async () => {
    await browser?.close();
    await ended(served?.process);
  });

  /** A page of a person of its own, who speaks English and has a wide window unless told otherwise. */
  async function open(options: BrowserContextOptions & { readonly at?: string } = {}): Promise<Visit> {
    const { at = served.page, ...rest } = options;
    const context = await browser.newContext({ locale: 'en-GB', viewport: { width: 1100, height: 800 }, ...rest });
    const visit = new Visit(await context.newPage());
    await visit.goTo(at);
    return visit;
  }
  return { served: () => served, open };
}

export async function launch(): Promise<Browser> {
  const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';
  // As root, as in a container of CI, Chromium starts without its own sandbox alone.
  return chromium.launch({ executablePath, args: ['--no-sandbox'] });
}

export async function serve(args: readonly string[] = [], env: Readonly<Record<string, string>> = {}): Promise<Served> {
  const state = mkdtempSync(join(tmpdir(), 'served-'));
  const child = spawn(process.execPath, [join(root, 'bin', 'meditron.js'), 'serve', '--port', '0', '--json', ...args], {
    cwd: root,
    env: { ...process.env, ...env, MEDITRON_STATE: state },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  for await (const line of createInterface({ input: child.stdout! })) {
    const { url, page } = JSON.parse(line) as { url: string; page: string };
    return { url, page, process: child, state };
  }
  throw new Error('The server ended before it answered');
}

export async function ended(child: ChildProcess | undefined): Promise<void> {
  if (!child || child.exitCode !== null || child.signalCode !== null) return;
  const exit = new Promise(resolve => child.once('exit', resolve));
  child.kill('SIGINT');
  await exit;
}

/** The engine's process: the server's only child. */
export function engineOf(server: ChildProcess): number {
  const children = readdirSync(`/proc/${server.pid}/task`).flatMap(task =>
    readFileSync(`/proc/${server.pid}/task/${task}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number),
  );
  expect(children).toHaveLength(1);
  return children[0]!;
}

/** A person in front of the page, and all that their browser asked for. */
export class Visit {
  readonly requests: string[] = [];
  readonly errors: string[] = [];

  constructor(readonly page: Page) {
    page.context().on('request', request => this.requests.push(request.url()));
    page.on('pageerror', error => this.errors.push(error.message));
    page.on('console', message => {
      if (message.type() === 'error') this.errors.push(message.text());
    });
  }

  async goTo(url: string): Promise<void> {
    await this.page.goto(url);
    await this.page.locator('main :is(h1, textarea)').first().waitFor();
  }

  /** To another screen, as a link leads there. */
  async screen(name: string): Promise<void> {
    await this.page.evaluate(to => {
      location.hash = `#/${to}`;
    }, name);
    await this.page.locator(`a[href="#/${name}"][aria-current="page"]`).waitFor();
  }

  get box() {
    return this.page.locator('#question');
  }

  get card() {
    return this.page.locator('.card');
  }

  /** Types a question, waits until it is read back, and asks it. */
  async ask(text: string, { chains, kind }: { readonly chains?: number; readonly kind?: string } = {}): Promise<void> {
    await this.box.fill(text);
    await this.page.locator('.read-back').waitFor();
    if (chains !== undefined || kind !== undefined) {
      await this.page.locator('details.how > summary').click();
      if (kind !== undefined) await this.page.selectOption('#how-kind', kind);
      if (chains !== undefined) {
        await this.page.fill('#how-samples', String(chains));
        await this.page.locator('#how-samples').blur();
      }
    }
    await this.page.locator('form.composer button[type=submit]').click();
  }

  /** Something that takes half a minute: lists of diagnoses, of which the model that ships knows nothing. */
  askLong(): Promise<void> {
    return this.ask('Chest pain and fever for two days. What may it be?', { kind: 'ranked', chains: 99 });
  }

  /** The path of the file that a button gives. */
  async saved(button: string): Promise<string> {
    const saving = this.page.waitForEvent('download');
    await this.page.getByRole('button', { name: button, exact: true }).click();
    return (await saving).path();
  }

  /** The violations of WCAG 2.2 AA that axe finds. */
  async violations(): Promise<string[]> {
    await this.page.evaluate(axe.source);
    const found = await this.page.evaluate(async () => {
      // biome-ignore lint/suspicious/noExplicitAny: axe is in the page, not here
      const { violations } = await (globalThis as any).axe.run(document, {
        runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
      });
      return violations as { id: string; help: string; nodes: { html: string; failureSummary: string }[] }[];
    });
    return found.flatMap(({ id, help, nodes }) =>
      nodes.map(node => `${id}: ${help}: ${node.html} ${node.failureSummary}`),
    );
  }

  /** What does not fit, is too small to be hit, or is not written as its language writes it, in each language. */
  misfits(): Promise<string[]> {
    return this.page.evaluate(misfits);
  }

  /** Tab through all that is shown, from the beginning to the end: what has the focus and does not show it, or is behind something else. */
  async hidden(): Promise<string[]> {
    const found: string[] = [];
    await this.page.evaluate(() => document.querySelector<HTMLElement>('.skip')!.focus());
    for (let stops = 0; ; stops++) {
      await this.page.keyboard.press('Tab');
      const { name, fault, isLast } = await this.page.evaluate(focusNow);
      if (fault) found.push(`${name}: ${fault}`);
      if (isLast) return found;
      if (stops > 200) throw new Error('Tab does not come to an end');
    }
  }
}

/** What the model that ships can add up; four of five chains agree. */
export const example = `A patient has atrial fibrillation: age 77, male, heart failure, no hypertension, no diabetes, previous TIA. What is the patient's CHA2DS2-VASc score?

A. 5
B. 1
C. 4
D. 3`;

/** In the page: of every language in turn, what `Visit.misfits` tells. */
async function misfits(): Promise<string[]> {
  const found = new Set<string>();
  const select = document.querySelector<HTMLSelectElement>('#language')!;
  const before = select.value;
  for (const { value: tag } of [...select.options, ...select.selectedOptions]) {
    select.value = tag;
    select.dispatchEvent(new Event('change', { bubbles: true }));
    await new Promise(resolve => requestAnimationFrame(() => setTimeout(resolve)));
    const { documentElement: root } = document;
    if (root.lang !== tag) found.add(`${tag}: the page stays in ${root.lang}`);
    if (root.scrollWidth > root.clientWidth)
      found.add(`${tag}: scrolls sideways by ${root.scrollWidth - root.clientWidth}`);
    for (const element of document.body.querySelectorAll<HTMLElement>('*')) {
      const box = element.getBoundingClientRect();
      if (element.closest('.unseen, svg, .skip') || box.width === 0 || !element.checkVisibility()) continue;
      const tell = (what: string) =>
        found.add(`${tag}: ${element.tagName} ${element.className} “${element.textContent.slice(0, 40)}”: ${what}`);
      const { overflowX, display, whiteSpace } = getComputedStyle(element);
      if (element.matches('a[href], button, input, select, textarea, summary')) {
        const target = (element.closest('label') ?? element).getBoundingClientRect();
        if (target.width < 24 || target.height < 24) tell(`a target of ${target.width} × ${target.height} pixels`);
      }
      if (!element.closest('.newest, .wide') && (box.right > innerWidth + 1 || box.left < -1)) tell('beyond the edge');
      const isCut = ['hidden', 'clip'].includes(overflowX) || whiteSpace === 'nowrap';
      if (isCut && display !== 'inline' && !element.closest('.newest') && element.scrollWidth > element.clientWidth + 1)
        tell(`its text takes ${element.scrollWidth} of ${element.clientWidth} pixels`);
      // In the languages of the page, not in what the model or the person wrote.
      const isOurs =
        !element.closest('[lang]:not(html), [dir=auto], textarea, select') && !element.querySelector('[lang], [dir]');
      if (isOurs && element.childElementCount === 0) {
        const text = element.textContent;
        if (/undefined|NaN|\[object/.test(text)) tell('a gap in the text');
        if (tag === 'fr' && /[^\u00a0\u202f][:;?!»](?:\s|$)/.test(text)) tell('a sign without its space');
      }
    }
    for (const link of document.querySelectorAll('nav a')) {
      const words = document.createRange();
      words.selectNodeContents(link);
      if (words.getClientRects().length > 1) found.add(`${tag}: “${link.textContent}” is broken`);
    }
  }
  select.value = before;
  select.dispatchEvent(new Event('change', { bubbles: true }));
  return [...found];
}

/** In the page: what has the focus, and whether one sees that. */
function focusNow(): { name: string; fault: string | null; isLast: boolean } {
  const element = document.activeElement as HTMLElement;
  const stops = [...document.querySelectorAll<HTMLElement>('a[href], button, input, select, textarea, summary')].filter(
    stop => stop.checkVisibility() && !stop.matches('[type=radio]:not(:checked)'),
  );
  const name = `${element.tagName} ${element.className} “${(element.ariaLabel ?? element.textContent).trim().slice(0, 40)}”`;
  const isLast = element === stops.at(-1) || element === document.body;
  if (element === document.body) return { name, fault: 'the focus is lost', isLast };
  const { left, top, width, height } = element.getBoundingClientRect();
  const isSeen = [0.1, 0.5, 0.9].every(part => {
    const at = document.elementFromPoint(left + width / 2, top + height * part);
    return at !== null && (element.contains(at) || at.contains(element));
  });
  if (!isSeen && height < innerHeight / 2) return { name, fault: `hidden at ${left}, ${top}`, isLast };
  return { name, fault: getComputedStyle(element).outlineStyle === 'none' ? 'no ring' : null, isLast };
}
