import { type ChildProcess, fork } from 'node:child_process';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { leftBehind } from './session.js';

/** What an app said of a trial: see answering.js. */
export type Reply<Answer> =
  | { readonly end: 'answered'; readonly answer: Answer }
  /** `code` is one of ours, or `UNTYPED`. */
  | { readonly end: 'failed'; readonly code: string; readonly message: string }
  | { readonly end: 'died'; readonly how: string }
  | { readonly end: 'hung' };

/**
 * An app that uses the library: a process of its own, started when it is first asked something, again only if it died or hung. It
 * answers one trial at a time.
 */
export class App<Trial extends object, Answer> {
  readonly #program: string;
  readonly #limitMs: number;
  readonly #env: NodeJS.ProcessEnv;
  #child: ChildProcess | undefined;
  /** The last it printed to the error stream. */
  #words = '';

  constructor(program: URL, { limitMs = 60_000, env = {} }: { limitMs?: number; env?: NodeJS.ProcessEnv } = {}) {
    this.#program = fileURLToPath(program);
    this.#limitMs = limitMs;
    this.#env = env;
  }

  /** Its process id, while it runs. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  async ask(trial: Trial): Promise<Reply<Answer>> {
    this.#child ??= this.#start();
    const child = this.#child;
    const reply = await new Promise<Reply<Answer>>(resolve => {
      const died = async (code: number | null, signal: string | null): Promise<void> => {
        await pause(100); // its last words may still be on their way; what it left behind may hold the stream open
        settle({ end: 'died', how: `${signal ? `by ${signal}` : `with code ${code}`} ${this.#words.trim()}`.trim() });
      };
      const timer = setTimeout(() => settle({ end: 'hung' }), this.#limitMs);
      const settle = (result: Reply<Answer>): void => {
        clearTimeout(timer);
        child.off('exit', died).off('message', settle);
        resolve(result);
      };
      child.on('exit', died).on('message', settle);
      child.send(trial, error => {
        if (error) child.kill('SIGKILL'); // it is ending; `exit` says how
      });
    });
    if (reply.end === 'hung' || reply.end === 'died') await this.close();
    return reply;
  }

  /** What the app still has running besides itself, and what does not end: in words, killed then. */
  async leftBehind(): Promise<string[]> {
    return this.pid === undefined ? [] : leftBehind(this.pid, [this.pid]);
  }

  /** Ends it and whatever it started. */
  async close(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined) return;
    if (child.exitCode === null && child.signalCode === null) {
      const gone = new Promise(resolve => child.once('exit', resolve));
      child.kill('SIGKILL');
      await gone;
    }
    await leftBehind(child.pid!);
  }

  #start(): ChildProcess {
    // llama.cpp writes its last words to the error stream and would start a debugger on itself.
    const env = { ...process.env, GGML_NO_BACKTRACE: '1', NODE_OPTIONS: '', ...this.#env };
    const child = fork(this.#program, [], {
      execArgv: this.#program.endsWith('.ts') ? ['--import', 'tsx'] : [],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      detached: true, // a session of its own, by which what it leaves behind is found
      env,
    });
    this.#words = '';
    child.stderr!.on('data', chunk => {
      this.#words = `${this.#words}${chunk}`.slice(-2000);
    });
    return child;
  }
}
