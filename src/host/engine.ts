import { resolve } from 'node:path';
import { type Death, EngineDied } from '../check/died.js';
import { MeditronError } from '../check/errors.js';
import { checkLeaseFits } from '../engine/capacity/fit.js';
import { Engine } from '../engine/engine.js';
import { closedError } from '../engine/errors.js';
import { type Held, heldElsewhere } from '../engine/held.js';
import type { LoadedModel } from '../engine/info.js';
import type { GenerateEvent } from '../engine/jobs/generation.js';
import {
  checkGenerate,
  checkLeaseSize,
  checkPrefix,
  checkPrompt,
  checkRestore,
  checkSave,
  checkScore,
  type GenerateOptions,
  type PrefixOptions,
  type Prompt,
  type RestoreOptions,
  type SaveOptions,
  type ScoreOptions,
} from '../engine/jobs/options.js';
import type { Score } from '../engine/jobs/scoring.js';
import { type Lease, type LeaseSize, leasedElsewhere } from '../engine/lease.js';
import type { EngineOptions } from '../engine/open.js';
import { type EngineCounters, type EngineSettings, noCounts } from '../engine/settings.js';
import { identityAt, identityText } from '../models/identity.js';
import { HostHeld, startOf } from './held.js';
import type { Host, OwnCall, Restorable } from './host.js';
import { HostLease } from './lease.js';
import type { HeldFacts, HeldName, StreamEvent } from './protocol.js';
import { Call, type Request, Stream } from './request.js';

/** An engine in another process. */
export class HostEngine extends Engine implements Restorable {
  readonly counters: EngineCounters = noCounts();
  readonly settings: EngineSettings;
  readonly model: LoadedModel;
  readonly id: number;
  takenSequences = 0;
  readonly #host: Host;
  readonly #options: EngineOptions;
  readonly #adapters: string;
  readonly #held = new Map<number, HostHeld>(); // prefixes that can be made again, by request
  readonly #samples = new Set<HostHeld>(); // held sequences that can not
  readonly #leases = new Map<number, HostLease>();
  /** What processes before this one have computed. */
  #before: EngineCounters = noCounts();
  #last: Death | undefined;
  /** Number of the last process that died. */
  #dead = 0;
  #closed: Promise<void> | undefined;

  private constructor(host: Host, model: LoadedModel, opened: Opened) {
    super();
    this.#host = host;
    this.model = model;
    this.id = opened.id;
    this.settings = opened.settings;
    this.#options = opened.options;
    this.#adapters = opened.adapters;
  }

  static async open(host: Host, model: LoadedModel, options: EngineOptions): Promise<HostEngine> {
    const id = host.nextId();
    const adapters = adaptersOf(options);
    const settings = await host.call('open', { options }, { engine: id });
    const engine = new HostEngine(host, model, { id, options, adapters, settings });
    host.add(engine);
    return engine;
  }

  async *generate(options: GenerateOptions): AsyncGenerator<GenerateEvent, void, void> {
    const { signal, from, lease, prompt, ...work } = checkGenerate(options);
    const start = this.#start(from, lease);
    signal?.throwIfAborted();
    const content = { ...work, prompt: copyOf(prompt) };
    const stream = new Stream(this.#host.nextId(), 'generate', content, { engine: this.id, start });
    const leave = this.#host.enter(stream, signal);
    try {
      for await (const event of stream.events()) yield this.#event(stream, event);
      signal?.throwIfAborted(); // all of it was here before its reader left off
    } finally {
      leave();
    }
  }

  async score(options: ScoreOptions): Promise<Score[]> {
    const { signal, from, lease, prompt, continuations, bos } = checkScore(options);
    const start = this.#start(from, lease);
    const content = { prompt: copyOf(prompt), continuations: [...continuations], bos };
    return this.#host.call('score', content, { engine: this.id, start, signal });
  }

  async prefix(prompt: Prompt, options: PrefixOptions = {}): Promise<Held> {
    const checked = checkPrompt(prompt);
    const { signal, from, lease, bos } = checkPrefix(options);
    const start = this.#start(from, lease);
    const content = { prompt: copyOf(checked), bos };
    const request = new Call(this.#host.nextId(), 'prefix', content, { engine: this.id, start });
    const facts = await this.#host.run(request, signal);
    const before = from as HostHeld | undefined;
    const again = !lease && (!before || before.recipe !== undefined);
    return this.#keep(request, 0, facts, again ? { content, from: before } : undefined);
  }

  async savePrefix(held: Held, path: string, options: SaveOptions = {}): Promise<void> {
    const { signal } = checkSave(held, path, options);
    const start = this.#start(held, undefined);
    signal?.throwIfAborted();
    await this.#host.call('save', { path: resolve(path) }, { engine: this.id, start, signal });
  }

  /** In a process after this one it is evaluated again: the file may be another by then. */
  async restorePrefix(path: string, options: RestoreOptions = {}): Promise<Held> {
    const { signal, lease, tokens: wanted } = checkRestore(path, options);
    const start = this.#start(undefined, lease);
    const content = { path: resolve(path), tokens: wanted };
    const request = new Call(this.#host.nextId(), 'restore', content, { engine: this.id, start });
    const { tokens, ...facts } = await this.#host.run(request, signal);
    const again = { content: { prompt: tokens, bos: 'never' }, from: undefined } as const;
    return this.#keep(request, 0, facts, lease ? undefined : again);
  }

  async lease(size: LeaseSize, options: { readonly signal?: AbortSignal | undefined } = {}): Promise<Lease> {
    const need = checkLeaseSize(size, options);
    this.#checkOpen();
    checkLeaseFits(need, this.settings);
    const id = this.#host.nextId();
    await this.#host.run(new Call(id, 'lease', need, { engine: this.id }), options.signal);
    const lease = new HostLease(this, id, need, () => {
      this.#leases.delete(id);
      this.#host.tell({ type: 'release-lease', lease: id });
    });
    this.#leases.set(id, lease);
    return lease;
  }

  close(): Promise<void> {
    this.#closed ??= this.#host.remove(this, closedError());
    return this.#closed;
  }

  counted(counters: EngineCounters, takenSequences: number): void {
    this.takenSequences = takenSequences;
    for (const [name, count] of Object.entries(counters) as [keyof EngineCounters, number][])
      this.counters[name] = this.#before[name] + count;
  }

  died(death: Death, process: number): void {
    this.#dead = process;
    this.takenSequences = 0;
    this.#before = { ...this.counters };
    for (const held of this.#samples) held.lose(death);
    this.#samples.clear();
    this.#last = death;
  }

  /**
   * The context as it was, then what can be evaluated again, then the leases: together they fit, for they did before. What is released
   * meanwhile, before the process knows it, is released then.
   */
  async restore(call: OwnCall): Promise<void> {
    const { contextSize, batchSize, maxSequences, threads } = this.settings;
    if (adaptersOf(this.#options) !== this.#adapters)
      throw new MeditronError('ERR_LORA', 'Expected the adapters that were loaded before the engine died, got others');
    const adaptThreads = this.#options.adaptThreads ?? this.#options.threads === undefined;
    const options = { ...this.#options, contextSize, batchSize, maxSequences, threads, adaptThreads };
    const settings = await call('open', { options }, { engine: this.id });
    if (settings.contextSize !== contextSize || settings.batchSize !== batchSize || settings.threads !== threads)
      throw new MeditronError('ERR_MEMORY', 'The engine could not be opened again as it was before its process died');
    for (const [id, held] of this.#held) await this.#evaluateAgain(call, id, held);
    for (const [id, lease] of this.#leases) {
      await call('lease', lease.size, { id, engine: this.id });
      if (!this.#leases.has(id)) this.#host.tell({ type: 'release-lease', lease: id });
    }
  }

  async #evaluateAgain(call: OwnCall, id: number, held: HostHeld): Promise<void> {
    const { content, from } = held.recipe!;
    const start = startOf(this, from, undefined);
    const request = new Call(id, 'prefix', content, { engine: this.id, start });
    try {
      if (this.#host.isQuarantined(request)) throw new EngineDied(this.#last!);
      await call('prefix', content, { id, engine: this.id, start });
      if (!this.#held.has(id)) this.#host.tell({ type: 'release-held', held: held.name });
    } catch (error) {
      if (error instanceof EngineDied && this.#host.pid === undefined) throw error;
      held.lose(this.#last!);
      this.#held.delete(id);
    }
  }

  #checkOpen(): void {
    if (this.#closed) throw closedError();
  }

  /** What a job starts from; throws if another engine made it, or it is gone. */
  #start(from: Held | undefined, lease: Lease | undefined): ReturnType<typeof startOf> {
    this.#checkOpen();
    if (from !== undefined && !(from instanceof HostHeld)) throw heldElsewhere();
    if (lease !== undefined && !(lease instanceof HostLease)) throw leasedElsewhere();
    const start = startOf(this, from, lease);
    start.now();
    return start;
  }

  #event(stream: Stream, event: StreamEvent): GenerateEvent {
    if (event.type !== 'end') return event;
    const { held, ...rest } = event;
    return { ...rest, held: held && this.#keep(stream, event.sample, held, undefined) };
  }

  #keep(request: Request, sample: number, facts: HeldFacts, recipe: HostHeld['recipe']): HostHeld {
    const name: HeldName = { request: request.id, sample, first: 0 };
    const release = (held: HostHeld) => {
      this.#samples.delete(held);
      this.#held.delete(name.request);
      this.#host.tell({ type: 'release-held', held: name });
    };
    const held = new HostHeld(this, name, `${request.key} ${sample}`, facts.tokenCount, facts, release, recipe);
    if (recipe) this.#held.set(name.request, held);
    else if (request.process > this.#dead) this.#samples.add(held);
    else held.lose(this.#last!); // told before its process died, read after
    return held;
  }
}

interface Opened {
  readonly id: number;
  readonly options: EngineOptions;
  readonly adapters: string;
  readonly settings: EngineSettings;
}

function copyOf<T extends Prompt>(prompt: T): T {
  return (prompt instanceof Int32Array ? prompt.slice() : prompt) as T;
}

/** Which files the adapters are. */
function adaptersOf({ loras = [] }: EngineOptions): string {
  return loras.map(({ path }) => identityText(identityAt(path))).join(' ');
}
