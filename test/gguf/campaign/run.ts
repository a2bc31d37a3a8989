import { App } from '../../campaigns/app.js';

/** One file to try. */
export interface Trial {
  readonly path: string;
  readonly adapter?: string;
  readonly loadMode: 'read' | 'mmap';
  readonly flashAttention?: 'auto' | 'on' | 'off';
  readonly kvType?: 'f32' | 'f16' | 'q8_0';
  /** The model in a process of its own. Default: in the app's. */
  readonly isolate?: boolean;
}

/** What became of it: a code of ours, `ran`, `DIED <how>`, `HUNG` or `UNTYPED`. */
export interface Ending {
  readonly stage: 'load' | 'engine' | 'compute' | 'done';
  readonly code: string;
  readonly message: string;
}

/** Tries files in an app that loads them, one app for as long as it lives. */
export class Runner {
  readonly #app: App<Trial, Ending>;

  /** Longest time for one file, the start of the app included. */
  constructor(limitMs = 60_000) {
    this.#app = new App(new URL('app.js', import.meta.url), { limitMs });
  }

  async try(trial: Trial): Promise<Ending> {
    const reply = await this.#app.ask(trial);
    if (reply.end === 'answered') return reply.answer;
    if (reply.end === 'failed') return { stage: 'load', code: reply.code, message: reply.message };
    const code = reply.end === 'died' ? `DIED ${reply.how}` : 'HUNG';
    return { stage: 'load', code, message: '' };
  }

  close(): Promise<void> {
    return this.#app.close();
  }
}
