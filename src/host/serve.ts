import { MeditronError } from '../check/errors.js';
import { packageVersion } from '../check/project.js';
import type { DirectEngine } from '../engine/direct/engine.js';
import type { DirectHeld } from '../engine/direct/held.js';
import type { DirectLease } from '../engine/direct/lease.js';
import { type DirectModel, loadHere } from '../engine/direct/model.js';
import { closedError } from '../engine/errors.js';
import { heldNoMore } from '../engine/held.js';
import type { GenerateEvent } from '../engine/jobs/generation.js';
import { leasedNoMore } from '../engine/lease.js';
import { loadAddon } from '../native/load.js';
import { Outbox } from './outbox.js';
import {
  type Command,
  type HeldFacts,
  type HeldName,
  type Notice,
  type PlainError,
  protocolVersion,
  type Stage,
  type StartFrom,
  type StreamEvent,
  type Verb,
  type Works,
} from './protocol.js';

/** The host's side: one model, its engines, and what is asked of them. */
export class Service {
  readonly #outbox: Outbox;
  readonly #engines = new Map<number, DirectEngine>();
  readonly #leases = new Map<number, DirectLease>();
  readonly #held = new Map<string, DirectHeld>();
  readonly #running = new Map<number, AbortController>();
  #model: DirectModel | undefined;

  constructor(private readonly send: (notice: Notice) => void) {
    this.#outbox = new Outbox(send);
    send({ type: 'hello', protocol: protocolVersion, version: packageVersion() });
  }

  take(command: Command): void {
    switch (command.type) {
      case 'work':
        void this.#work(command.id, command.verb, command.work);
        break;
      case 'cancel':
        this.#running.get(command.id)?.abort(new MeditronError('ERR_ABORTED', 'Nobody waits for it any more'));
        break;
      case 'release-held':
        this.#held.get(nameOf(command.held))?.release();
        this.#held.delete(nameOf(command.held));
        break;
      case 'release-lease':
        this.#leases.get(command.lease)?.release();
        this.#leases.delete(command.lease);
        break;
      case 'ping':
        this.send({ type: 'pong', count: command.count });
        break;
      case 'read':
        this.#outbox.read(command.batches);
        break;
      case 'exit':
        process.exit(0);
    }
  }

  async #work<V extends Verb>(id: number, verb: V, work: Works[V]['work']): Promise<void> {
    const controller = new AbortController();
    this.#running.set(id, controller);
    const context = { id, signal: controller.signal, watch: this.#watch(id) };
    try {
      const value = await (this.#verbs[verb] as (work: unknown, context: Context) => Promise<unknown>)(work, context);
      this.#outbox.flush();
      this.send({ type: 'result', id, value });
    } catch (error) {
      this.#outbox.flush();
      this.send({ type: 'failure', id, error: plain(error) });
    } finally {
      this.#running.delete(id);
    }
  }

  readonly #verbs: { readonly [V in Verb]: (work: Works[V]['work'], context: Context) => Promise<Works[V]['result']> } =
    {
      load: async (work, { signal }) => {
        const { addon } = await loadAddon();
        addon.belongToParent(process.ppid);
        addon.echoLog(true); // what was said before a death is read by the parent
        const onProgress = (fraction: number) => this.send({ type: 'progress', fraction });
        const placed = (devices: readonly string[]) => this.send({ type: 'placed', devices });
        this.#model = await loadHere({ ...work, onProgress, signal }, placed);
        return this.#model.info;
      },
      tokenize: ({ prompt, bos, inside }, { signal, watch }) => {
        watch('tokenize');
        return this.#loaded.tokenize(prompt, { bos, inside, signal });
      },
      detokenize: ({ tokens, special }) => this.#loaded.detokenize(tokens, { special }),
      spell: async ({ tokens }) => {
        const spelled = await this.#loaded.spell(tokens);
        let end = 0;
        return { bytes: Buffer.concat(spelled), ends: Uint32Array.from(spelled, bytes => (end += bytes.length)) };
      },
      devices: () => this.#loaded.devices(),
      open: async ({ engine, options }) => {
        const opened = await this.#loaded.createEngine(options);
        this.#engines.set(engine, opened);
        this.#outbox.watch(engine, opened);
        return opened.settings;
      },
      close: async ({ engine }) => {
        await this.#engines.get(engine)?.close();
        this.#outbox.forget(engine);
        this.#engines.delete(engine);
        return null;
      },
      generate: async ({ engine, from, lease, ...work }, { id, signal, watch }) => {
        const options = { ...work, ...this.#start({ from, lease }), signal };
        for await (const event of this.#engine(engine).generate(options, watch))
          this.#outbox.push(id, this.#event(id, event));
        return null;
      },
      score: ({ engine, from, lease, ...work }, { signal, watch }) =>
        this.#engine(engine).score({ ...work, ...this.#start({ from, lease }), signal }, watch),
      prefix: async ({ engine, prompt, bos, from, lease }, { id, signal, watch }) => {
        const options = { bos, ...this.#start({ from, lease }), signal };
        return this.#keep(
          { request: id, sample: 0, first: 0 },
          await this.#engine(engine).prefix(prompt, options, watch),
        );
      },
      save: async ({ engine, path, ...given }, { signal }) => {
        const { from } = this.#start(given);
        await this.#engine(engine).savePrefix(from!, path, { signal });
        return null;
      },
      restore: async ({ engine, path, tokens, ...given }, { id, signal, watch }) => {
        const options = { ...this.#start(given), tokens, signal };
        const held = await this.#engine(engine).restorePrefix(path, options, watch);
        return { ...this.#keep({ request: id, sample: 0, first: 0 }, held), tokens: held.tokens! };
      },
      lease: async ({ engine, sequences, cells }, { id, signal }) => {
        this.#leases.set(id, await this.#engine(engine).lease({ sequences, cells }, { signal }));
        return null;
      },
    };

  /** Tells the stages of a piece of work, each before it begins, and none twice. */
  #watch(id: number): (stage: 'tokenize' | 'queued' | 'started') => void {
    let started = false;
    let told: Stage | undefined;
    return stage => {
      if (started) return;
      started = stage === 'started';
      const next = started ? 'prompt' : (stage as Stage);
      if (next !== told) this.send({ type: 'stage', id, stage: next });
      told = next;
    };
  }

  get #loaded(): DirectModel {
    if (!this.#model) throw new MeditronError('ERR_CLOSED', 'No model is loaded');
    return this.#model;
  }

  #engine(id: number): DirectEngine {
    const engine = this.#engines.get(id);
    if (!engine) throw closedError();
    return engine;
  }

  #start({ from, lease }: StartFrom): { from?: DirectHeld; lease?: DirectLease } {
    const held = from && this.#held.get(nameOf(from));
    if (from && !held) throw heldNoMore();
    const within = lease === undefined ? undefined : this.#leases.get(lease);
    if (lease !== undefined && !within) throw leasedNoMore();
    return {
      ...(held && { from: from.first > 0 ? held.first(from.first) : held }),
      ...(within && { lease: within }),
    };
  }

  #event(request: number, event: GenerateEvent): StreamEvent {
    if (event.type !== 'end') return event;
    const { held, ...rest } = event;
    return { ...rest, held: held && this.#keep({ request, sample: event.sample, first: 0 }, held as DirectHeld) };
  }

  #keep(name: HeldName, held: DirectHeld): HeldFacts {
    this.#held.set(nameOf(name), held);
    return { tokenCount: held.tokenCount, pending: held.pending, cells: held.cells };
  }
}

interface Context {
  readonly id: number;
  readonly signal: AbortSignal;
  readonly watch: (stage: 'tokenize' | 'queued' | 'started') => void;
}

function nameOf({ request, sample }: HeldName): string {
  return `${request}:${sample}`;
}

function plain(error: unknown): PlainError {
  if (error instanceof MeditronError) return { code: error.code, message: error.message, stack: undefined };
  if (error instanceof Error) return { code: undefined, message: error.message, stack: error.stack };
  return { code: undefined, message: String(error), stack: undefined };
}
