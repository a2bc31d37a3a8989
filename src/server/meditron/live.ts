import { askStream } from '../../ask/ask.js';
import type { Answer } from '../../ask/types.js';
import { MeditronError } from '../../check/errors.js';
import type { Pool, UseOptions } from '../pool/pool.js';
import { failed } from './failure.js';
import { Log } from './log.js';
import type { AskState, AskStreamEvent } from './protocol.js';
import type { AskWork } from './work.js';

/** An ask that runs, or has ended, and all that it told. */
export class LiveAsk {
  readonly log: Log<AskStreamEvent>;
  /** Resolves when it has ended. */
  readonly ended: Promise<void>;
  readonly #cancel = new AbortController();
  readonly #stop = new AbortController();
  #answer: Answer | undefined;
  #failure: { readonly error: unknown } | undefined;

  constructor(
    private readonly pool: Pool,
    readonly work: AskWork,
    private readonly preference: UseOptions,
    onWatchers: (watchers: number) => void,
  ) {
    this.log = new Log(onWatchers);
    const { id, model, question, reading } = work;
    const loaded = pool.find(model).state === 'loaded';
    this.log.add({ type: 'asked', id, model, question, reading, loaded, created: new Date().toISOString() });
    this.ended = this.#run();
  }

  /** Undefined until it is answered. */
  get answer(): Answer | undefined {
    return this.#answer;
  }

  /** What it failed with. */
  get failure(): unknown {
    return this.#failure?.error;
  }

  get running(): boolean {
    return this.#answer === undefined && this.#failure === undefined;
  }

  /** Why there was no place in the queue for it, which is known at once; undefined if there was one. */
  get refusal(): MeditronError | undefined {
    const error = this.#failure?.error;
    return error instanceof MeditronError && error.code === 'ERR_QUEUE_FULL' ? error : undefined;
  }

  get state(): AskState {
    const { work, log } = this;
    const running = this.#stop.signal.aborted ? 'stopping' : 'running';
    return {
      id: work.id!,
      state: this.#answer ? 'answered' : this.#failure ? 'failed' : running,
      model: work.model,
      watchers: log.watchers,
      events: log.length,
      answer: this.#answer ?? null,
    };
  }

  /** The vote is closed within a step: the answer is of what there is. */
  stop(): void {
    this.#stop.abort(new MeditronError('ERR_ABORTED', 'It was stopped before the model was ready'));
  }

  /** Nobody wants the answer any more. */
  cancel(why: string, code: 'ERR_ABORTED' | 'ERR_CLOSED' = 'ERR_ABORTED'): void {
    this.#cancel.abort(new MeditronError(code, why));
  }

  /** The answer, for a client that waits for it alone. @throws what asking throws; it is cancelled when the signal is aborted */
  async answered(signal: AbortSignal): Promise<Answer> {
    for await (const _ of this.log.watch(0, signal));
    await this.ended;
    if (this.#failure) throw this.#failure.error;
    return this.#answer!;
  }

  async #run(): Promise<void> {
    const { model, question, settings } = this.work;
    const [cancel, stop] = [this.#cancel.signal, this.#stop.signal];
    try {
      await using use = await this.pool.use(model, AbortSignal.any([cancel, stop]), this.preference);
      const stream = askStream(use.engine, question, { ...settings, until: stop, signal: cancel });
      for (;;) {
        const { done, value } = await stream.next();
        if (done) {
          this.#answer = value;
          this.log.add({ type: 'answer', answer: value });
          return;
        }
        this.log.add(value);
      }
    } catch (error) {
      this.#failure = { error };
      this.log.add(failed(error));
    } finally {
      this.log.end();
    }
  }
}
