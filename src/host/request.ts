import type { Phase } from '../check/died.js';
import { MeditronError } from '../check/errors.js';
import { add } from './outbox.js';
import type { PlainError, StartFrom, StreamEvent, Verb, Works } from './protocol.js';
import { keyOf } from './restart.js';

/** Where a request is: with the client, on its way, or as far as the host has said. */
type Stage = 'waiting' | 'sent' | 'tokenize' | 'queued' | 'prompt' | 'decode';

/** What a request asks beside what it starts from, which every process knows by other means. */
export type Content<V extends Verb> = Omit<NonNullable<Works[V]['work']>, 'engine' | 'from' | 'lease'>;

/** What a job starts from. */
export interface Start {
  /** Checked again whenever it is sent: throws if it is gone. */
  now(): StartFrom;
  /** The same for the same beginning. */
  readonly key: string;
}

export interface More {
  readonly engine?: number | undefined;
  readonly start?: Start | undefined;
  readonly own?: boolean | undefined;
}

/** Something the host was asked for, until its one answer. */
export abstract class Request<V extends Verb = Verb> {
  stage: Stage = 'waiting';
  /** Nobody waits for the answer any more. */
  left = false;
  /** Why it is no longer wanted; thrown in place of what comes of it. */
  reason: { readonly error: unknown } | undefined;
  /** Processes that died while it was with them. */
  deaths = 0;
  /** Number of the process it was sent to last. */
  process = 0;
  #key: string | undefined;

  constructor(
    readonly id: number,
    readonly verb: V,
    /** What it asks, in itself. */
    readonly content: Content<V>,
    private readonly more: More = {},
  ) {}

  /** The engine it is for. */
  get engine(): number | undefined {
    return this.more.engine;
  }

  /** It makes a new process what the last one was: it comes before all others, and dies with its process. */
  get own(): boolean {
    return this.more.own ?? false;
  }

  /**
   * What is sent, to this process.
   *
   * @throws MeditronError if what it starts from is gone
   */
  work(): Works[V]['work'] {
    const { engine, start } = this.more;
    const add = { ...(engine !== undefined && { engine }), ...start?.now() };
    return { ...this.content, ...add } as Works[V]['work'];
  }

  /** The same for the same work from the same beginning. */
  get key(): string {
    this.#key ??= keyOf(this.verb, this.content, this.more.start?.key ?? '');
    return this.#key;
  }

  abstract take(events: readonly StreamEvent[]): void;
  abstract finish(value: unknown): void;
  abstract fail(error: unknown): void;

  /** Whether it is work of an engine that goes through its queue. */
  get isJob(): boolean {
    return ['generate', 'score', 'prefix', 'restore', 'lease'].includes(this.verb);
  }

  /** After a death: whether the next process may be given it, because the last one had not begun with it or it changes nothing. */
  get again(): boolean {
    if (this.own) return false;
    if (this.stage === 'waiting') return true;
    if (this.isJob) return this.stage === 'sent' || this.stage === 'queued';
    return (this.verb === 'tokenize' || this.verb === 'detokenize' || this.verb === 'devices') && this.deaths < 2;
  }

  get phase(): Phase {
    if (this.verb === 'load') return 'load';
    if (this.verb === 'tokenize' || this.stage === 'tokenize') return 'tokenize';
    if (this.stage === 'prompt' || this.stage === 'decode') return this.stage;
    return 'idle';
  }
}

/** A request with one answer. */
export class Call<V extends Verb> extends Request<V> {
  readonly result: Promise<Works[V]['result']>;
  #resolve!: (value: Works[V]['result']) => void;
  #reject!: (error: unknown) => void;

  constructor(id: number, verb: V, content: Content<V>, more?: More) {
    super(id, verb, content, more);
    this.result = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.result.catch(() => {}); // may fail after its caller has left
  }

  override take(): void {}

  override finish(value: unknown): void {
    if (this.reason) this.#reject(this.reason.error);
    else this.#resolve(value as Works[V]['result']);
  }

  override fail(error: unknown): void {
    this.#reject(this.reason ? this.reason.error : error);
  }
}

/** Events a slow reader may have before it; beyond that, those that can be one become one. */
const mostUnread = 64;

/** A request that is answered by events before it ends. */
export class Stream extends Request<'generate'> {
  readonly #queue: StreamEvent[] = [];
  #end: { readonly error?: unknown } | undefined;
  #wake: (() => void) | undefined;

  override take(events: readonly StreamEvent[]): void {
    for (const event of events) {
      if (event.type !== 'prompt' || event.done === event.total) this.stage = 'decode';
      if (this.#queue.length < mostUnread) this.#queue.push(event);
      else add(this.#queue, event);
    }
    this.#news();
  }

  override finish(): void {
    this.#end ??= this.reason ?? {};
    this.#news();
  }

  override fail(error: unknown): void {
    this.#end ??= this.reason ?? { error };
    this.#news();
  }

  /** Those that nobody has read. */
  unread(): StreamEvent[] {
    return this.#queue.splice(0);
  }

  async *events(): AsyncGenerator<StreamEvent, void, void> {
    for (;;) {
      const event = this.#queue.shift();
      if (event) {
        yield event;
        continue;
      }
      if (this.#end) {
        if ('error' in this.#end) throw this.#end.error;
        return;
      }
      await new Promise<void>(resolve => {
        this.#wake = resolve;
      });
    }
  }

  #news(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }
}

/** The error that the host's process sent as data. */
export function revived({ code, message, stack }: PlainError): Error {
  if (code !== undefined) return new MeditronError(code, message);
  const error = new Error(message);
  if (stack !== undefined) error.stack = stack;
  return error;
}
