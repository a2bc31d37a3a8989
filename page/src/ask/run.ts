import { signal } from '@preact/signals';
import type { Answer, AskRequest, AskStreamEvent, Stopped } from '../../../src/server/meditron/protocol.js';
import { type Api, ApiError, type Problem, problemOf } from '../api/api.js';
import { paced } from '../paced.js';
import { advance, begun, type Progress } from './progress.js';

/** Tries to find a lost connection again, and milliseconds between them. */
const tries = 20;
const between = 1000;

/** One ask of one model: what has been heard of it, and how it ended. */
export class Run {
  readonly progress = signal<Progress>(begun(performance.now()));
  readonly answer = signal<Answer | null>(null);
  readonly problem = signal<Problem | null>(null);
  readonly isStopping = signal(false);
  readonly isLost = signal(false);
  readonly hasBegun = signal(false);
  /** It was stopped before its turn, and is not asked. */
  readonly isSkipped = signal(false);
  /** Chains whose whole text is shown, by index. */
  readonly open = signal<ReadonlySet<number>>(new Set());
  /** Whether it was found again after a reload. */
  readonly resumed: boolean;
  readonly #api: Api;
  readonly #request: AskRequest | undefined;
  readonly #left = new AbortController();

  constructor(
    api: Api,
    readonly id: string,
    request?: AskRequest,
  ) {
    this.#api = api;
    this.#request = request;
    this.resumed = request === undefined;
  }

  get request(): AskRequest | undefined {
    return this.#request;
  }

  get isOver(): boolean {
    return this.answer.value !== null || this.problem.value !== null || this.isSkipped.value;
  }

  /** Watches until the answer; a connection that is lost is looked for again. Never rejects. */
  async watch(): Promise<void> {
    this.hasBegun.value = true;
    const waiting: (() => void)[] = [];
    const flush = () => {
      for (const step of waiting.splice(0)) step();
    };
    const show = paced(flush);
    let progress = this.progress.value;
    let last: string | undefined;
    const hear = (event: AskStreamEvent) => {
      if (event.type === 'answer') waiting.push(() => (this.answer.value = event.answer));
      else if (event.type === 'failed') waiting.push(() => (this.problem.value = event.error));
      else {
        progress = advance(progress, event, performance.now());
        if (waiting.length === 0) waiting.push(() => (this.progress.value = progress));
      }
      show(event.type !== 'text' && event.type !== 'prompt');
    };
    const { signal } = this.#left;
    for (let attempt = 0; attempt < tries && !signal.aborted; attempt++) {
      try {
        const isFirst = this.#request !== undefined && last === undefined && attempt === 0;
        const options = { signal, ...(isFirst ? { body: this.#request } : { after: last }) };
        const path = isFirst ? 'ask' : `asks/${this.id}`;
        for await (const { id, event } of this.#api.stream<AskStreamEvent>(isFirst ? 'POST' : 'GET', path, options)) {
          this.isLost.value = false;
          attempt = 0;
          last = id;
          hear(event);
          if (event.type === 'answer' || event.type === 'failed') return flush();
        }
        // Ended without an end: the server left.
      } catch (error) {
        if (signal.aborted) return;
        const isGone = !(error instanceof ApiError) || error.problem.code !== 'UNREACHABLE';
        if (isGone || (last === undefined && this.#request !== undefined)) {
          this.problem.value = problemOf(error);
          return;
        }
      }
      this.isLost.value = true;
      await new Promise(resolve => setTimeout(resolve, between));
    }
    if (!signal.aborted) this.problem.value = { message: '', type: 'page', param: null, code: 'UNREACHABLE' };
  }

  /** Closes the vote: what there is comes as the answer. One whose turn has not come is not asked. */
  async stop(): Promise<void> {
    if (this.isOver || this.isStopping.value) return;
    if (!this.hasBegun.value) {
      this.isSkipped.value = true;
      return;
    }
    this.isStopping.value = true;
    await this.#api.delete<Stopped>(`asks/${this.id}`).catch(() => {
      this.isStopping.value = false;
    });
  }

  /** Nobody looks any more, and the server need not keep it. */
  forget(): void {
    this.#left.abort();
    if (this.answer.value) void this.#api.delete<Stopped>(`asks/${this.id}`).catch(() => {});
    else void this.stop();
  }

  toggle(chain: number): void {
    const open = new Set(this.open.value);
    if (!open.delete(chain)) open.add(chain);
    this.open.value = open;
  }
}
