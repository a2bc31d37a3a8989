import { type Death, describeDeath, EngineDied } from '../check/died.js';
import { MeditronError } from '../check/errors.js';
import type { ModelInfo } from '../engine/info.js';
import type { LoadOptions } from '../engine/load.js';
import type { EngineCounters } from '../engine/settings.js';
import { whenAborted } from '../engine/signals.js';
import { hashOfDead, isExternal } from './autopsy.js';
import { Connection, type Ended } from './connection.js';
import { workingFolder } from './launch.js';
import type { Command, Notice, Verb, Works } from './protocol.js';
import { Call, type Content, type More, type Request, revived, Stream } from './request.js';
import { Quarantine, Restarts } from './restart.js';
import { checkSame } from './same.js';
import type { Launch } from './transport.js';

/** How a model is isolated. */
export interface IsolateOptions {
  /** The Node that runs the engine. Default: the one that runs this program; in Electron it has to be given. */
  readonly execPath?: string | undefined;
  /** Starts the process in another way than `child_process.fork`. */
  readonly launch?: Launch | undefined;
  /** Told whenever the process has died, whoever else is told. */
  readonly onDeath?: ((death: Death) => void) | undefined;
}

/** Asks a process for something before it is given other work. */
export type OwnCall = <V extends Verb>(
  verb: V,
  content: Content<V>,
  more?: More & { readonly id?: number },
) => Promise<Works[V]['result']>;

/** What has to be made again in a new process. */
export interface Restorable {
  readonly id: number;
  /** Called in the order of the ids. */
  restore(call: OwnCall): Promise<void>;
  /** What was in the process of this number, and in those before, is gone. */
  died(death: Death, process: number): void;
  /** What the process has computed for it. */
  counted(counters: EngineCounters, takenSequences: number): void;
}

/** How long a process may take to end by itself. */
const graceMs = 1000;

/**
 * One model in a process of its own, started again when it dies. What had begun there fails with `ERR_ENGINE_DIED`; what had not goes to
 * the next process, which is first made what the last one was.
 */
export class Host {
  readonly #options: IsolateOptions;
  readonly #cwd = workingFolder();
  readonly #requests = new Map<number, Request>();
  readonly #engines = new Map<number, Restorable>();
  readonly #restarts = new Restarts();
  readonly #quarantine = new Quarantine();
  #connection: Connection | undefined;
  /** How many have been started. */
  #processes = 0;
  /** The process has been made what the last one was. */
  #ready = false;
  #starting: Promise<void> | undefined;
  /** Ends the pause before a start. */
  #wake: (() => void) | undefined;
  /** From a death until all have been told of it. */
  #mourning = false;
  #last: Death | undefined;
  #info: ModelInfo | undefined;
  /** GPUs that its weights go to, before it is loaded. */
  #placed: readonly string[] = [];
  readonly #load: Works['load']['work'];
  #nextId = 1;
  #closed = false;
  #exiting: Promise<void> | undefined;
  #onProgress: ((fraction: number) => void) | undefined;

  private constructor(load: Works['load']['work'], options: IsolateOptions) {
    this.#load = load;
    this.#options = options;
  }

  /**
   * Starts a process and has it load a model.
   *
   * @throws MeditronError what loading throws; `ERR_ENGINE_DIED` if the process dies of it; the signal's reason
   */
  static async load(options: LoadOptions, isolate: IsolateOptions): Promise<{ host: Host; info: ModelInfo }> {
    const { onProgress, signal, ...load } = options;
    const host = new Host(load, isolate);
    let failed: { readonly error: unknown } | undefined;
    const stop = (error: unknown) => {
      failed ??= { error };
      host.#connection?.kill();
      void host.exit();
    };
    host.#onProgress = fraction => {
      try {
        if (!failed) onProgress?.(fraction);
      } catch (error) {
        stop(error);
      }
    };
    const forget = signal && whenAborted(signal, () => stop(signal.reason));
    try {
      host.#connect();
      const info = await host.#own('load', load);
      if (failed) throw failed.error;
      host.#info = info;
      host.#ready = true;
      host.#rest();
      return { host, info };
    } catch (error) {
      await host.exit();
      throw failed ? failed.error : error;
    } finally {
      forget?.();
      host.#onProgress = undefined;
    }
  }

  /** Number of the process; undefined while there is none. For tests and tools that show processes. */
  get pid(): number | undefined {
    return this.#connection?.pid;
  }

  nextId(): number {
    return this.#nextId++;
  }

  /** Engines are made again in every new process, until they are removed. */
  add(engine: Restorable): void {
    this.#engines.set(engine.id, engine);
  }

  /**
   * Closes an engine: what it was asked for fails with `error`. A process that does not answer is not waited for longer than a second.
   * The last engine of a closed model takes the process with it.
   */
  async remove(engine: Restorable, error: unknown): Promise<void> {
    const its = (request: Request) => request.engine === engine.id && !request.own;
    const failAll = () => this.#fail(error, its);
    this.#fail(error, request => its(request) && request.stage === 'waiting');
    this.#engines.delete(engine.id);
    if (this.#closed && this.#engines.size === 0) {
      failAll();
      return this.exit();
    }
    if (!this.#ready || this.#exiting) return failAll(); // it is not made again, or closed when it has been
    const timer = setTimeout(failAll, graceMs);
    await this.call('close', {}, { engine: engine.id }).catch(() => {});
    clearTimeout(timer);
  }

  /** Ends the process when no engine is left. */
  async close(): Promise<void> {
    this.#closed = true;
    if (this.#engines.size === 0) await this.exit();
  }

  /** Asks for something; call the result when nobody waits for it any more. */
  enter(request: Request, signal?: AbortSignal): () => void {
    signal?.throwIfAborted();
    this.#admit(request);
    const forget =
      signal &&
      whenAborted(signal, () => {
        request.reason ??= { error: signal.reason };
        this.#cancel(request);
        // A stream still tells what there is of its samples.
        if (request instanceof Call) request.fail(signal.reason);
      });
    this.#requests.set(request.id, request);
    this.#drive();
    return () => {
      forget?.();
      if (request.left) return;
      request.left = true;
      if (request instanceof Stream) this.#letGo(request);
      if (this.#requests.has(request.id)) this.#cancel(request);
    };
  }

  call<V extends Verb>(
    verb: V,
    content: Content<V>,
    { signal, ...more }: More & { signal?: AbortSignal | undefined } = {},
  ): Promise<Works[V]['result']> {
    return this.run(new Call(this.nextId(), verb, content, more), signal);
  }

  async run<V extends Verb>(request: Call<V>, signal?: AbortSignal): Promise<Works[V]['result']> {
    const leave = this.enter(request, signal);
    try {
      return await request.result;
    } finally {
      leave();
    }
  }

  /** Tells the process something that has no answer; what no process knows needs not be told. */
  tell(command: Command): void {
    if (this.#connection) this.#post(command);
  }

  /** Ends the process, by force after a second, and with it whatever was asked for. Idempotent. */
  exit(): Promise<void> {
    this.#exiting ??= this.#exit();
    return this.#exiting;
  }

  async #exit(): Promise<void> {
    const connection = this.#connection;
    this.#fail(new MeditronError('ERR_CLOSED', 'The model is closed'));
    if (!connection) return;
    connection.work(true);
    this.#post({ type: 'exit' });
    const timer = setTimeout(() => connection.kill(), graceMs);
    await connection.ended;
    clearTimeout(timer);
  }

  #admit(request: Request): void {
    if (this.#exiting) throw new MeditronError('ERR_CLOSED', 'The model is closed');
    if (this.#restarts.pauseMs === null && request.verb !== 'close') throw this.#down();
    if (!request.isJob || !this.isQuarantined(request)) return;
    throw new MeditronError(
      'ERR_QUARANTINED',
      `The engine died twice while it ran this very request, so it is not run again: ${describeDeath(this.#last!)}`,
    );
  }

  #down(): MeditronError {
    return new MeditronError(
      'ERR_ENGINE_DOWN',
      `The engine died ${this.#restarts.deaths} times in a row without finishing anything, and is not started any more. ` +
        `Load the model again when the cause is found. ${describeDeath(this.#last!)}`,
    );
  }

  /** Gives the process what waits, and starts one if there is none. */
  #drive(): void {
    if (this.#exiting || this.#mourning) return;
    if (!this.#connection) {
      if (this.#requests.size > 0) this.#starting ??= this.#start().finally(() => this.#started());
      return;
    }
    if (this.#ready) {
      for (const request of this.#requests.values()) if (request.stage === 'waiting') this.#send(request);
    }
    this.#rest();
  }

  #started(): void {
    this.#starting = undefined;
    this.#drive();
  }

  /** Keeps the program alive, and the process under watch, while something is asked for. */
  #rest(): void {
    this.#connection?.work(this.#requests.size > 0 || !this.#ready);
    if (this.#requests.size === 0) this.#wake?.();
  }

  #send(request: Request): void {
    let work: Works[Verb]['work'];
    try {
      work = request.work();
    } catch (error) {
      this.#requests.delete(request.id); // what it starts from is gone
      request.fail(error);
      return;
    }
    request.stage = 'sent';
    request.process = this.#processes;
    this.#post({ type: 'work', id: request.id, verb: request.verb, work } as Command);
  }

  #post(command: Command): void {
    this.#connection?.send(command);
  }

  #cancel(request: Request): void {
    if (request.stage === 'waiting') {
      this.#requests.delete(request.id);
      request.fail(new MeditronError('ERR_ABORTED', 'The request was cancelled'));
      this.#rest();
    } else this.tell({ type: 'cancel', id: request.id });
  }

  #connect(): void {
    const { execPath, launch } = this.#options;
    const connection: Connection = new Connection(
      { execPath, launch, cwd: this.#cwd },
      {
        notice: notice => this.#take(notice),
        ended: end => void this.#ended(connection, end),
        loading: () => !this.#ready,
      },
    );
    this.#connection = connection;
    this.#processes++;
    connection.work(true);
  }

  #take(notice: Exclude<Notice, { type: 'hello' | 'pong' }>): void {
    if (notice.type === 'progress') {
      this.#onProgress?.(notice.fraction);
      return;
    }
    if (notice.type === 'placed') {
      this.#placed = notice.devices;
      return;
    }
    if (notice.type === 'batch') {
      for (const [engine, counters, taken] of notice.counters) this.#engines.get(engine)?.counted(counters, taken);
      for (const [id, events] of notice.events) {
        const request = this.#requests.get(id);
        request?.take(events);
        if (request?.left && request instanceof Stream) this.#letGo(request);
      }
      return;
    }
    const request = this.#requests.get(notice.id);
    if (!request) return;
    if (notice.type === 'stage') {
      request.stage = notice.stage;
      return;
    }
    this.#requests.delete(notice.id);
    if (notice.type === 'result') {
      if (request.isJob && !request.own) this.#progressed(request);
      if (request.left || request.reason) this.#dropResult(request);
      request.finish(notice.value);
    } else request.fail(revived(notice.error));
    this.#rest();
  }

  #progressed(request: Request): void {
    if (request.verb === 'lease') return; // nothing has been computed
    this.#restarts.progressed();
    if (!this.#quarantine.empty) this.#quarantine.finished(request.key);
  }

  /** What a request that nobody waits for has left in the process. */
  #dropResult({ verb, id }: Request): void {
    if (verb === 'prefix' || verb === 'restore')
      this.tell({ type: 'release-held', held: { request: id, sample: 0, first: 0 } });
    if (verb === 'lease') this.tell({ type: 'release-lease', lease: id });
  }

  /** Releases the sequences of events that nobody will read. */
  #letGo(stream: Stream): void {
    for (const event of stream.unread()) {
      if (event.type !== 'end' || !event.held) continue;
      this.tell({ type: 'release-held', held: { request: stream.id, sample: event.sample, first: 0 } });
    }
  }

  async #ended(connection: Connection, end: Ended): Promise<void> {
    if (this.#connection !== connection) return;
    const loading = end.greeted ? 'load' : 'start';
    const before = this.#ready ? 'idle' : loading;
    this.#connection = undefined;
    this.#ready = false;
    if (this.#exiting) return this.#fail(new MeditronError('ERR_CLOSED', 'The model is closed'));
    if (end.foreign) return this.#fail(end.foreign);
    this.#mourning = true;
    this.#restarts.died();
    const { path } = this.#load;
    const sha256 = await hashOfDead(this.#info, path);
    const death = (phase: Death['phase']): Death => ({
      signal: end.signal,
      exitCode: end.signal === null ? end.exitCode : null,
      phase,
      external: isExternal(end),
      unresponsive: end.unresponsive,
      model: { path, sha256 },
      devices: this.#info?.devices.map(device => device.name) ?? this.#placed,
      lastLines: end.lastLines,
    });
    const running = [...this.#requests.values()].filter(request => request.stage !== 'waiting');
    const worst = (['decode', 'prompt', 'tokenize', 'load'] as const).find(phase =>
      running.some(request => request.phase === phase),
    );
    const whole = death(!worst || worst === 'load' ? before : worst);
    this.#last = whole;
    const blamed = running.filter(request => request.isJob && !request.again);
    this.#quarantine.died(
      blamed.map(request => request.key),
      whole,
    );
    for (const engine of this.#engines.values()) engine.died(whole, this.#processes);
    for (const request of running) {
      request.deaths++;
      if (request.again && !request.left && !request.reason) {
        request.stage = 'waiting';
        continue;
      }
      this.#requests.delete(request.id);
      if (request.verb === 'close') request.finish(null);
      else request.fail(new EngineDied(death(['idle', 'load'].includes(request.phase) ? whole.phase : request.phase)));
    }
    this.#mourning = false;
    try {
      this.#options.onDeath?.(whole);
    } finally {
      if (this.#restarts.pauseMs === null) this.#fail(this.#down());
      this.#drive();
    }
  }

  /** Fails requests; those to close have come true. */
  #fail(error: unknown, which: (request: Request) => boolean = () => true): void {
    for (const request of [...this.#requests.values()].filter(which)) {
      this.#requests.delete(request.id);
      if (request.verb === 'close') request.finish(null);
      else request.fail(error);
    }
    this.#rest();
  }

  /** A new process, made what the last one was. */
  async #start(): Promise<void> {
    const pause = this.#restarts.pauseMs;
    if (pause === null) return this.#fail(this.#down());
    if (pause > 0) await this.#pause(pause);
    if (this.#exiting || this.#requests.size === 0) return;
    const before = this.#info!;
    this.#connect();
    const connection = this.#connection!;
    try {
      const { gpuLayers, loadMode } = before;
      const info = await this.#own('load', { ...this.#load, gpuLayers, loadMode });
      checkSame(before, info);
      const engines = [...this.#engines.values()].sort((a, b) => a.id - b.id);
      for (const engine of engines) {
        if (this.#engines.has(engine.id)) await engine.restore((verb, content, more) => this.#own(verb, content, more));
        if (!this.#engines.has(engine.id)) await this.#own('close', {}, { engine: engine.id });
      }
      this.#ready = true;
    } catch (error) {
      if (error instanceof EngineDied) return; // told, and started again, by its death
      this.#fail(error);
      connection.kill();
      this.#connection = undefined;
    }
  }

  /** Ends early when nobody asks for anything any more. */
  #pause(milliseconds: number): Promise<void> {
    return new Promise(resolve => {
      const wake = () => {
        clearTimeout(timer);
        this.#wake = undefined;
        resolve();
      };
      const timer = setTimeout(wake, milliseconds);
      this.#wake = wake;
    });
  }

  /** A request of the host's own. */
  #own<V extends Verb>(
    verb: V,
    content: Content<V>,
    { id = this.nextId(), ...more }: More & { readonly id?: number } = {},
  ): Promise<Works[V]['result']> {
    const request = new Call(id, verb, content, { ...more, own: true });
    this.#requests.set(id, request);
    this.#send(request);
    return request.result;
  }

  /** Whether a request crashed the engine before, so that it is not run again. */
  isQuarantined(request: { readonly key: string }): boolean {
    return !this.#quarantine.empty && this.#quarantine.has(request.key);
  }
}
