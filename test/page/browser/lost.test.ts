import { once } from 'node:events';
import { mkdtempSync, readFileSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { held, holdAt, holdable } from '../../host/hold.js';
import { ended, example, type Served, serve, withPage } from './harness.js';

const { served, open } = withPage();

/** What stands between a browser and a server, and can be cut. */
class Cable implements AsyncDisposable {
  readonly #sockets = new Set<Socket>();
  readonly #server: Server;
  #isCut = false;

  private constructor(to: number) {
    this.#server = createServer(near => {
      if (this.#isCut) return near.destroy();
      const far = connect(to, '127.0.0.1');
      for (const [one, other] of [
        [near, far],
        [far, near],
      ] as const) {
        this.#sockets.add(one.pipe(other) as Socket);
        one.on('error', () => {}).on('close', () => other.destroy());
      }
      return undefined;
    });
  }

  static async to(port: number): Promise<Cable> {
    const cable = new Cable(port);
    await once(cable.#server.listen(0, '127.0.0.1'), 'listening');
    return cable;
  }

  get port(): number {
    return (this.#server.address() as { port: number }).port;
  }

  cut(): void {
    this.#isCut = true;
    for (const socket of this.#sockets) socket.destroy();
    this.#sockets.clear();
  }

  mend(): void {
    this.#isCut = false;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    this.#server.close();
  }
}

const portOf = (url: string) => Number(new URL(url).port);

/** Servers of single tests. */
const others: Served[] = [];
afterEach(async () => {
  for (const { process } of others.splice(0)) await ended(process);
});

async function another(...given: Parameters<typeof serve>): Promise<Served> {
  const server = await serve(...given);
  others.push(server);
  return server;
}

async function killed({ process }: Served): Promise<void> {
  const exit = once(process, 'exit');
  process.kill('SIGKILL');
  await exit;
}

test('a connection that is lost in the middle is found again, and nothing of the answer is missing', async () => {
  await using cable = await Cable.to(portOf(served().url));
  const visit = await open({ at: served().page.replace(/:\d+\//, `:${cable.port}/`) });
  const { page, card } = visit;
  await visit.askLong();
  await page.locator('.chain.ended').first().waitFor();
  cable.cut();
  await page.getByText('The connection was lost. Trying again').waitFor();
  const before = await page.locator('.chain.ended').count();
  cable.mend();
  await page.getByText('The connection was lost').waitFor({ state: 'detached' });
  await expect.poll(() => page.locator('.chain.ended').count(), { timeout: 30_000 }).toBeGreaterThan(before);
  await page.keyboard.press('Escape');
  await card.waitFor();
  expect(await card.locator('h2').textContent()).toMatch(/^Stopped after \d+ of 99$/);
});

test('a program that is killed and started again no longer knows the question: what had come stays, said to be part of a vote', async () => {
  const hold = join(mkdtempSync(join(tmpdir(), 'held-')), 'hold');
  const first = await another([], holdable(hold));
  const visit = await open({ at: first.page });
  const { page, card } = visit;
  holdAt(hold, 'end');
  await visit.ask(example, { chains: 99 });
  await held(hold);
  await page.locator('.chain.ended').first().waitFor();
  await killed(first);
  await page.getByText('The connection was lost').waitFor();
  await another(['--port', String(portOf(first.url))]);
  await card.waitFor();
  const text = await card.innerText();
  expect(text).toContain('The program no longer knows it');
  expect(text).toContain('Your question is still here.');
  expect(text).toMatch(/part of a vote, and no result:[\s\S]*\d+ of 99 answered/);
  const record = await visit.saved('Save record');
  expect(JSON.parse(readFileSync(record, 'utf8'))).toMatchObject({
    ...{ schema: 'meditron.partial.v1', planned: 99, question: { kind: 'choice' }, asked: { samples: 99, seed: 0 } },
    failure: { code: 'NOT_FOUND' },
  });
  await page.getByRole('button', { name: 'Ask again', exact: true }).click();
  await page.locator('.chain.ended').first().waitFor();
  await page.keyboard.press('Escape');
  await page.locator('.card.stopped').waitFor();
  // What the page alone had heard is read, and not run again.
  await visit.screen('records');
  await page.setInputFiles('#record', record);
  const opened = page.locator('.record');
  expect(await opened.innerText()).toMatch(
    /previous TIA[\s\S]*can be read, and not run again[\s\S]*\d+ of 99 answered/,
  );
  expect(await opened.getByRole('button', { name: 'Run it again' }).count()).toBe(0);
  expect(await visit.violations()).toEqual([]);
});

test('a program that does not answer is said to, where one asks it, and the text stays', async () => {
  const server = await another();
  const visit = await open({ at: server.page });
  const { page, box } = visit;
  await killed(server);
  await box.fill(example);
  await page.keyboard.press('Control+Enter');
  await page.locator('form .failed', { hasText: 'The program behind this page does not answer' }).waitFor();
  expect(await box.inputValue()).toBe(example);
  for (const screen of ['models', 'evaluate', 'records']) {
    await visit.screen(screen);
    await page.locator('main', { hasText: 'The program behind this page does not answer' }).waitFor();
  }
  await visit.screen('ask');
  await page.keyboard.press('Control+Enter');
  await page.locator('form .failed').waitFor();
  expect(await page.locator('.failed', { hasText: 'does not answer' }).count()).toBe(1);
  expect(await visit.violations()).toEqual([]);
});
