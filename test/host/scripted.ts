import { packageVersion } from '../../src/check/project.js';
import type { ModelInfo } from '../../src/engine/info.js';
import type { EngineSettings } from '../../src/engine/settings.js';
import { type Command, type HeldName, type Notice, protocolVersion, type Verb } from '../../src/host/protocol.js';
import type { Launch, Transport } from '../../src/host/transport.js';

type Listener = Parameters<Transport['listen']>[0];

/** A job as far as a scripted process has come with it. */
export interface ScriptedJob {
  readonly id: number;
  readonly verb: Verb;
  readonly hold: boolean;
  stage: 'sent' | 'tokenize' | 'queued' | 'prompt' | 'decode';
}

export const settings = { contextSize: 4096, batchSize: 8, maxSequences: 256, threads: 1 } as EngineSettings;

/** Large enough for its hash not to be made. */
export const scriptedInfo = {
  path: 'scripted.gguf',
  files: [{ path: 'scripted.gguf', sizeBytes: 1e12, identity: 'one' }],
  devices: [{ name: 'CPU' }],
  layersOf: [],
} as unknown as ModelInfo;

/**
 * A process of a host that is none: it answers at once what makes it what the last one was, and goes on with jobs when it is told to. It
 * keeps a list of what no process may ever be asked for.
 */
export class ScriptedProcess implements Transport {
  readonly pid = undefined;
  readonly jobs: ScriptedJob[] = [];
  readonly order: number[] = [];
  readonly held = new Set<string>();
  readonly leases = new Set<number>();
  readonly engines = new Set<number>();
  readonly wrongs: string[] = [];
  /** Jobs that this process or one before it has answered. */
  answered = new Set<number>();
  over = false;
  /** Stopped: it hears nothing. */
  mute = false;
  #to!: Listener;

  constructor(
    private readonly loaded: () => ModelInfo = () => scriptedInfo,
    private readonly dies: (verb: Verb) => boolean = () => false,
    private readonly version = packageVersion(),
  ) {}

  listen(to: Listener): void {
    this.#to = to;
    this.#say({ type: 'hello', protocol: protocolVersion, version: this.version });
  }

  send(message: unknown): void {
    if (this.over || this.mute) return;
    const command = structuredClone(message) as Command;
    if (command.type === 'ping') this.#say({ type: 'pong', count: command.count });
    if (command.type === 'exit') this.end({ signal: null, exitCode: 0 });
    if (command.type === 'release-held') this.held.delete(nameOf(command.held));
    if (command.type === 'release-lease') this.leases.delete(command.lease);
    if (command.type === 'cancel') this.#cancel(command.id);
    if (command.type === 'work') this.#begin(command);
  }

  kill(): void {
    this.end({ signal: 'SIGKILL', exitCode: null });
  }

  hold(): void {}

  end(end: { signal: string | null; exitCode: number | null }, lastWords = ''): void {
    if (this.over) return;
    this.over = true;
    if (lastWords) this.#to.print(lastWords);
    this.#to.end(end);
  }

  /** Goes one stage on with a job. */
  advance(index: number): void {
    const job = this.jobs[index % Math.max(1, this.jobs.length)];
    if (!job || this.over) return;
    if (job.verb === 'lease') {
      this.leases.add(job.id);
      this.#answer(job, null);
      return;
    }
    const next = { sent: 'tokenize', tokenize: 'queued', queued: 'prompt', prompt: 'decode', decode: 'end' } as const;
    const stage = next[job.stage];
    if (stage === 'decode' && job.verb === 'generate') {
      this.#say({ type: 'batch', counters: [], events: [[job.id, [{ type: 'text', sample: 0, text: `${job.id}` }]]] });
    }
    if (stage === 'end') this.#finish(job);
    else {
      job.stage = stage;
      if (stage !== 'decode') this.#say({ type: 'stage', id: job.id, stage });
    }
  }

  /** Ends all that it was asked for. */
  finish(): void {
    while (this.jobs.length > 0 && !this.over) this.advance(0);
  }

  #begin(command: Extract<Command, { type: 'work' }>): void {
    const { id, verb, work } = command;
    if (this.dies(verb)) {
      queueMicrotask(() => this.end({ signal: 'SIGABRT', exitCode: null }, 'GGML_ASSERT(it is well)\n'));
      return;
    }
    if (verb === 'load' || verb === 'open' || verb === 'close') {
      if (verb === 'open') this.engines.add(work.engine);
      if (verb === 'close') this.engines.delete(work.engine);
      const value = verb === 'load' ? this.loaded() : verb === 'open' ? settings : null;
      this.#say({ type: 'result', id, value });
      return;
    }
    const { engine, from, lease } = work as { engine?: number; from?: HeldName; lease?: number };
    if (engine === undefined || !this.engines.has(engine)) this.wrongs.push(`${verb} ${id} for no engine`);
    if (from && !this.held.has(nameOf(from))) this.wrongs.push(`${verb} ${id} from what is gone`);
    if (lease !== undefined && !this.leases.has(lease)) this.wrongs.push(`${verb} ${id} in a lease that is gone`);
    const job: ScriptedJob = { id, verb, hold: verb === 'generate' && work.hold, stage: 'sent' };
    this.jobs.push(job);
    if (!this.answered.has(id)) this.order.push(id);
    else if (verb === 'lease') this.advance(this.jobs.length - 1);
    else this.#finish(job); // made again
  }

  #finish(job: ScriptedJob): void {
    const facts = { tokenCount: 4, pending: 0, cells: 4 };
    if (job.verb === 'prefix' || job.hold) this.held.add(`${job.id}:0`);
    if (job.verb === 'generate') {
      const end = {
        type: 'end',
        sample: 0,
        finish: 'length',
        text: `${job.id}`,
        tokens: new Int32Array(1),
        textTokens: 1,
        logprobs: undefined,
        stop: undefined,
        held: job.hold ? facts : undefined,
      } as const;
      this.#say({ type: 'batch', counters: [], events: [[job.id, [end]]] });
    }
    this.#answer(job, job.verb === 'generate' ? null : job.verb === 'prefix' ? facts : job.id);
  }

  #answer(job: ScriptedJob, value: unknown): void {
    this.jobs.splice(this.jobs.indexOf(job), 1);
    this.answered.add(job.id);
    this.#say({ type: 'result', id: job.id, value });
  }

  #cancel(id: number): void {
    const job = this.jobs.find(each => each.id === id);
    if (!job) return;
    this.jobs.splice(this.jobs.indexOf(job), 1);
    this.#say({ type: 'failure', id, error: { code: 'ERR_ABORTED', message: 'enough', stack: undefined } });
  }

  #say(notice: Notice): void {
    queueMicrotask(() => {
      if (!this.over) this.#to.message(structuredClone(notice));
    });
  }
}

/** Starts scripted processes, and lists them. */
export function scripted(make: (index: number) => ScriptedProcess = () => new ScriptedProcess()): {
  readonly launch: Launch;
  readonly processes: ScriptedProcess[];
} {
  const processes: ScriptedProcess[] = [];
  const answered = new Set<number>();
  const launch = () => {
    const process = make(processes.length);
    process.answered = answered;
    processes.push(process);
    return process;
  };
  return { launch, processes };
}

function nameOf({ request, sample }: HeldName): string {
  return `${request}:${sample}`;
}
