import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** One file to try. */
export interface Trial {
  readonly path: string;
  readonly adapter?: string;
  readonly loadMode: 'read' | 'mmap';
  readonly flashAttention?: 'auto' | 'on' | 'off';
  readonly kvType?: 'f32' | 'f16' | 'q8_0';
}

/** What became of it: a code of ours, `ran`, `DIED <how>`, `HUNG` or `UNTYPED`. */
export interface Outcome {
  readonly stage: 'load' | 'engine' | 'compute' | 'done';
  readonly code: string;
  readonly message: string;
}

/** Tries files in a process of their own, one process for as long as it lives. */
export class Runner {
  #child: ChildProcess | undefined;

  constructor(
    /** Longest time for one file, the start of a process included. */
    readonly limitMs = 60_000,
  ) {}

  async try(trial: Trial): Promise<Outcome> {
    this.#child ??= start();
    const child = this.#child;
    const outcome = await new Promise<Outcome>(resolve => {
      const died = (code: number | null, signal: string | null): void =>
        settle({ stage: 'load', code: `DIED ${signal ?? code}`, message: '' });
      const timer = setTimeout(() => settle({ stage: 'load', code: 'HUNG', message: '' }), this.limitMs);
      const settle = (result: Outcome): void => {
        clearTimeout(timer);
        child.off('exit', died).off('message', settle);
        resolve(result);
      };
      child.on('exit', died).on('message', settle);
      child.send(trial, error => {
        if (error) settle({ stage: 'load', code: `DIED ${error.message}`, message: '' });
      });
    });
    if (outcome.code === 'HUNG' || outcome.code.startsWith('DIED')) await this.close();
    return outcome;
  }

  async close(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise(resolve => child.once('exit', resolve));
    child.kill('SIGKILL');
    await gone;
  }
}

function start(): ChildProcess {
  const program = fileURLToPath(new URL('child.ts', import.meta.url));
  // llama.cpp writes its last words to the error stream and would start a debugger on itself.
  const env = { ...process.env, GGML_NO_BACKTRACE: '1' };
  return fork(program, [], { execArgv: ['--import', 'tsx'], stdio: ['ignore', 'ignore', 'ignore', 'ipc'], env });
}
