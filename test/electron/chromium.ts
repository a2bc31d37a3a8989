// A page in a Chromium without a window, spoken to over a pipe with the DevTools protocol.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import type { Readable, Writable } from 'node:stream';

/** The program, where it is installed. */
export const chromium = (process.env.PATH ?? '')
  .split(delimiter)
  .flatMap(folder => ['chromium', 'chromium-browser', 'google-chrome'].map(name => join(folder, name)))
  .find(file => {
    try {
      accessSync(file, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });

// biome-ignore lint/suspicious/noExplicitAny: the protocol's own types are a package of their own
type Fields = any;

export class Browser {
  readonly #profile = mkdtempSync(join(tmpdir(), 'meditron-chromium-'));
  readonly #process = spawn(
    chromium!,
    ['--headless', '--no-sandbox', '--disable-gpu', '--remote-debugging-pipe', `--user-data-dir=${this.#profile}`],
    { stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'] },
  );
  readonly #waiting: ((answer: Fields) => void)[] = [];
  readonly #listeners = new Map<string, (given: Fields) => void>();
  #session: string | undefined;

  /** Opens an empty page. */
  async start(): Promise<void> {
    let rest = '';
    (this.#process.stdio[4] as Readable).setEncoding('utf8').on('data', (more: string) => {
      const parts = (rest + more).split('\0');
      rest = parts.pop()!;
      for (const part of parts) this.#hear(JSON.parse(part));
    });
    const { targetId } = await this.send('Target.createTarget', { url: 'about:blank' });
    const { sessionId } = await this.send('Target.attachToTarget', { targetId, flatten: true });
    this.#session = sessionId;
  }

  on(event: string, listener: (given: Fields) => void): void {
    this.#listeners.set(event, listener);
  }

  async send(method: string, params: object = {}): Promise<Fields> {
    const answer = new Promise<Fields>(resolve => {
      const message = { id: this.#waiting.push(resolve) - 1, method, params, sessionId: this.#session };
      (this.#process.stdio[3] as Writable).write(`${JSON.stringify(message)}\0`);
    });
    const { error, result } = await answer;
    if (error) throw new Error(`${method}: ${error.message}`);
    return result;
  }

  /** The value of an expression in the page; what it promises, if it is a promise. */
  async value(expression: string): Promise<Fields> {
    const asked = { expression, awaitPromise: true, returnByValue: true };
    const { result, exceptionDetails } = await this.send('Runtime.evaluate', asked);
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    return result.value;
  }

  async press(key: string, modifiers = 0): Promise<void> {
    for (const type of ['keyDown', 'keyUp']) await this.send('Input.dispatchKeyEvent', { type, key, modifiers });
  }

  async close(): Promise<void> {
    const ended = once(this.#process, 'exit');
    // Its pipe closed, the browser leaves by itself, after the processes of its own that still write to the profile.
    this.#process.stdio[3]!.destroy();
    await ended;
    rmSync(this.#profile, { recursive: true, force: true, maxRetries: 5 });
  }

  #hear({ id, method, params, ...answer }: Fields): void {
    if (id === undefined) this.#listeners.get(method)?.(params);
    else this.#waiting[id]!(answer);
  }
}
