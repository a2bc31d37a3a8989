import { MeditronError } from '../../check/errors.js';
import { RequestError } from '../error.js';
import type { Pool, UseOptions } from '../pool/pool.js';
import { LiveAsk } from './live.js';
import type { AsksState, Stopped } from './protocol.js';
import type { AskWork } from './work.js';

/** How long asks stay, in memory alone. */
export interface Patience {
  /** How long an ask with an id goes on without a watcher: a reload takes less. */
  readonly unwatchedMs: number;
  /** How long its answer is there to be watched again once nobody watches it. */
  readonly keptMs: number;
  /** How many that have ended are kept at most; of more, those that ended first go. */
  readonly kept: number;
}

const usual: Patience = { unwatchedMs: 60_000, keptMs: 1_800_000, kept: 32 };

/** Asks that run at once with an id; the queue for the models has a limit of its own. */
const mostRunning = 256;

/** The asks of a server, by the ids that their clients gave them. */
export class Asks {
  readonly #asks = new Map<string, LiveAsk>();
  readonly #timers = new Map<string, NodeJS.Timeout>();
  readonly #anonymous = new Set<LiveAsk>();
  readonly #patience: Patience;

  constructor(
    private readonly pool: Pool,
    patience: Partial<Patience> = {},
  ) {
    this.#patience = { ...usual, ...patience };
  }

  get state(): AsksState {
    const running = [...this.#asks.values()].filter(ask => ask.running).length;
    const { unwatchedMs, keptMs } = this.#patience;
    const ended = this.#asks.size - running;
    return { running, ended, unwatchedSeconds: unwatchedMs / 1000, keptSeconds: keptMs / 1000 };
  }

  /** @throws MeditronError `ERR_QUEUE_FULL`; RequestError 409 if something else was asked under the id */
  begin(work: AskWork, preference: UseOptions = {}): LiveAsk {
    const { id } = work;
    if (id === null) return this.#beginAnonymous(work, preference);
    const known = this.#asks.get(id);
    if (known?.work.hash === work.hash) return known;
    if (known)
      throw new RequestError(409, 'Expected `id` to be new, got one under which something else was asked', 'id');
    if (this.state.running >= mostRunning)
      throw new MeditronError('ERR_QUEUE_FULL', `${mostRunning} questions are being asked: try again later`);
    const ask = new LiveAsk(this.pool, work, preference, watchers => this.#watched(id, watchers));
    this.#asks.set(id, ask);
    this.#watched(id, 0);
    void ask.ended.then(() => {
      if (this.#asks.get(id) !== ask) return;
      this.#watched(id, ask.log.watchers);
      this.#forgetOldest();
    });
    return ask;
  }

  /** @throws RequestError 404 */
  find(id: string): LiveAsk {
    const ask = this.#asks.get(id);
    if (ask) return ask;
    throw new RequestError(404, 'Nothing was asked under this id, or it has been forgotten', 'id');
  }

  /** One that runs comes to its answer with what there is; one that has ended is forgotten. @throws RequestError 404 */
  stop(id: string): Stopped {
    const ask = this.find(id);
    if (ask.running) {
      ask.stop();
      return { id, state: 'stopping' };
    }
    this.#forget(id);
    return { id, state: 'forgotten' };
  }

  /** Cancels what runs, and forgets everything. Resolves once nothing uses a model any more. */
  async close(): Promise<void> {
    const running = [...this.#asks.values(), ...this.#anonymous];
    for (const ask of running) ask.cancel('The server is closing', 'ERR_CLOSED');
    for (const id of [...this.#asks.keys()]) this.#forget(id);
    await Promise.all(running.map(ask => ask.ended));
  }

  /** Ends with its only watcher. */
  #beginAnonymous(work: AskWork, preference: UseOptions): LiveAsk {
    const ask = new LiveAsk(this.pool, work, preference, watchers => {
      if (watchers === 0) ask.cancel('The client has left');
    });
    this.#anonymous.add(ask);
    void ask.ended.then(() => this.#anonymous.delete(ask));
    return ask;
  }

  /** Waits for the next watcher for a while. */
  #watched(id: string, watchers: number): void {
    clearTimeout(this.#timers.get(id));
    this.#timers.delete(id);
    const ask = this.#asks.get(id);
    if (!ask || watchers > 0) return;
    const { unwatchedMs, keptMs } = this.#patience;
    const timer = setTimeout(() => this.#forget(id), ask.running ? unwatchedMs : keptMs);
    this.#timers.set(id, timer.unref());
  }

  #forget(id: string): void {
    clearTimeout(this.#timers.get(id));
    this.#timers.delete(id);
    this.#asks.get(id)?.cancel('Nobody watches it any more');
    this.#asks.delete(id);
  }

  #forgetOldest(): void {
    const idle = [...this.#asks].filter(([, ask]) => !ask.running && ask.log.watchers === 0);
    for (const [id] of idle.slice(0, Math.max(0, idle.length - this.#patience.kept))) this.#forget(id);
  }
}
