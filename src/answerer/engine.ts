import { setMaxListeners } from 'node:events';
import { basename } from 'node:path';
import { optionError } from '../check/errors.js';
import { object } from '../check/options.js';
import type { Engine } from '../engine/engine.js';
import type { Held } from '../engine/held.js';
import type { GenerateEvent } from '../engine/jobs/generation.js';
import type { Lease } from '../engine/lease.js';
import { modelHash } from '../models/identity.js';
import type {
  After,
  Answerer,
  Choice,
  CompleteOptions,
  Completion,
  CompletionEvent,
  Description,
  Request,
  Session,
} from './answerer.js';
import { cachedTokens } from './beginning.js';
import { Feed } from './feed.js';
import { type Layout, layOut } from './layout.js';
import { type AskModel, type MeasuredRequest, measure } from './measure.js';

/** The part of an engine that asking needs. */
export interface AskEngine extends Pick<Engine, 'generate' | 'score' | 'prefix' | 'lease' | 'settings'> {
  /** The model it runs. */
  readonly model: AskModel;
  /** What it has computed since it was opened. */
  readonly counters: Answerer['counters'];
}

/** A beginning that is evaluated already and held by the caller, for prompts that begin like it. */
export interface Beginning {
  /** The evaluated tokens. They stay the caller's: asking never releases them. */
  readonly held: Held;
  /** Their ids, in order. */
  readonly tokens: Int32Array;
}

/**
 * An engine as an answerer. Prompts that begin alike are evaluated once, samples run in waves, and a sample that is asked
 * again continues on its own cache.
 */
export function answererOf(engine: AskEngine, beginning?: Beginning): Answerer {
  const { generate, model } = object('engine', engine);
  if (typeof generate !== 'function' || !model) throw optionError('engine', 'an engine, or who else answers', engine);
  const cached = (prompt: Int32Array) => (beginning ? cachedTokens(prompt, beginning.tokens) : 0);
  return {
    model: engine.model,
    counters: engine.counters,
    describe: () => describe(engine),
    hash: signal => modelHash(engine.model.info, signal),
    async fit(request, signal) {
      const measured = await measure(engine.model, request, { cached, most: engine.settings.sequenceSize, signal });
      const layout = layOut(measured, engine.settings);
      const { waves, maxTokens, warnings } = layout;
      return {
        waves,
        maxTokens,
        promptTokens: Math.max(...measured.prompts.map(tokens => tokens.length)),
        tokens: measured.prompts.map(tokens => Array.from(tokens)),
        warnings: [...engine.settings.warnings, ...warnings],
        begin: async signal => {
          const lease = await engine.lease(layout.need, { signal });
          return new EngineSession(engine, lease, { request, measured, layout, beginning: beginning?.held });
        },
      };
    },
  };
}

/** A sample that has ended, and its sequence while that is in the cache. */
interface Ended {
  readonly prompt: number;
  /** Those of its tokens that are text. */
  readonly tokens: Int32Array;
  readonly held: Held | undefined;
}

interface Begun {
  readonly request: Request;
  readonly measured: MeasuredRequest;
  readonly layout: Layout;
  readonly beginning: Held | undefined;
}

class EngineSession implements Session {
  readonly promptTokens: number;
  private readonly request: Request;
  private readonly measured: MeasuredRequest;
  private readonly layout: Layout;
  private readonly beginning: Held | undefined;
  #trunk: Held | undefined;
  readonly #ended = new Map<number, Ended>();

  constructor(
    private readonly engine: AskEngine,
    private readonly lease: Lease,
    { request, measured, layout, beginning }: Begun,
  ) {
    this.request = request;
    this.measured = measured;
    this.layout = layout;
    this.beginning = beginning;
    this.promptTokens = Math.max(...measured.prompts.map(tokens => tokens.length));
  }

  async *complete(
    samples: readonly number[],
    { signal, maxTokens = this.layout.maxTokens }: CompleteOptions,
  ): AsyncGenerator<CompletionEvent, void, void> {
    this.#releaseAll();
    const trunkNow = this.layout.shared > 0 && !this.#trunk;
    try {
      if (trunkNow) yield* this.#evaluateTrunk(signal);
    } catch (error) {
      if (signal.aborted) return;
      throw error;
    }
    const groups = this.#groupsOf(samples);
    const cancel = new AbortController();
    setMaxListeners(0, cancel.signal); // one job a group
    const feed = new Feed(groups.map((group, i) => numbered(i, this.#generate(group, maxTokens, cancel.signal))));
    const stop = () => feed.stop();
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
    const begun = this.layout.shared;
    const total = groups.reduce((sum, { prompt }) => sum + this.measured.prompts[prompt]!.length - begun, begun);
    const done = groups.map(() => 0);
    const showsPrompt = trunkNow || begun === 0;
    try {
      for (let next = await feed.next(); next; next = await feed.next()) {
        const { event } = next;
        const group = groups[next.group]!;
        if (event.type === 'prompt') {
          done[next.group] = event.done;
          if (showsPrompt) yield { type: 'prompt', done: begun + done.reduce((a, b) => a + b), total };
          continue;
        }
        const sample = group.samples[event.sample]!;
        if (event.type === 'text') yield { type: 'text', sample, text: event.text };
        else yield { type: 'end', ...this.#keep(sample, group.prompt, event) };
      }
    } finally {
      signal.removeEventListener('abort', stop);
      const left = await feed.close(() => cancel.abort());
      for (const { event } of left) if (event.type === 'end') event.held?.release();
    }
  }

  async choose(after: After, signal: AbortSignal): Promise<readonly Choice[] | undefined> {
    if ('prompt' in after) return this.#chooseAfterPrompt(after.prompt, signal);
    const ended = this.#ended.get(after.sample)!;
    const { suffix, continuations } = this.measured.reasks[ended.prompt]!;
    if (ended.held) {
      const count = this.measured.prompts[ended.prompt]!.length + ended.tokens.length;
      return this.#score(ended.held.first(count), suffix, continuations, signal);
    }
    // Its cache was not kept, because no sequence is left to ask on: what it said is evaluated once more.
    const { from, rest } = this.#promptFrom(ended.prompt);
    return this.#score(from, Int32Array.from([...rest, ...ended.tokens, ...suffix]), continuations, signal);
  }

  release(sample: number): void {
    const ended = this.#ended.get(sample);
    ended?.held?.release();
    this.#ended.delete(sample);
  }

  [Symbol.dispose](): void {
    this.#releaseAll();
    this.#trunk?.release();
    this.#trunk = undefined;
    this.lease.release();
  }

  async #chooseAfterPrompt(prompt: number, signal: AbortSignal): Promise<readonly Choice[]> {
    const sampled = this.measured.samples.includes(prompt);
    if (sampled && this.layout.shared > 0) this.#trunk ??= await this.#prefix(signal);
    const { from, rest } = this.#promptFrom(prompt);
    return this.#score(from, rest, this.measured.continuations[prompt]!, signal);
  }

  async #score(
    from: Held | undefined,
    prompt: Int32Array,
    continuations: readonly Int32Array[],
    signal: AbortSignal,
  ): Promise<Choice[]> {
    const scores = await this.engine.score({ prompt, from, continuations, signal, lease: this.lease });
    return scores.map(({ logprob, tokens }) => ({ logprob, tokens: Array.from(tokens) }));
  }

  #generate({ prompt, samples }: Group, maxTokens: number, signal: AbortSignal): AsyncIterable<GenerateEvent> {
    const { sampling, ends } = this.request;
    const { stops, grammar } = this.request.prompts[prompt]!;
    const { eos } = this.engine.model.info;
    const { from, rest } = this.#promptFrom(prompt);
    return this.engine.generate({
      prompt: rest,
      from,
      samplers: samples.map(index => ({ ...sampling, grammar, seed: this.request.samples[index]!.seed })),
      maxTokens,
      stop: stops,
      ...(ends === 'eos' && eos !== null && { ends: [eos] }),
      logprobs: true,
      hold: this.request.reask && this.layout.againOnCache,
      signal,
      lease: this.lease,
    });
  }

  /** Where a prompt starts: behind the trunk, behind what the caller holds, or at its first token. */
  #promptFrom(prompt: number): { from: Held | undefined; rest: Int32Array } {
    const tokens = this.measured.prompts[prompt]!;
    if (this.#trunk && this.measured.samples.includes(prompt))
      return { from: this.#trunk, rest: tokens.slice(this.layout.shared) };
    return { from: this.#begun, rest: tokens.slice(this.measured.cached) };
  }

  get #begun(): Held | undefined {
    const { cached } = this.measured;
    if (!this.beginning || cached === 0) return undefined;
    return cached === this.beginning.tokenCount ? this.beginning : this.beginning.first(cached);
  }

  #prefix(signal: AbortSignal): Promise<Held> {
    const { prompts, samples, cached } = this.measured;
    const tokens = prompts[samples[0]!]!.slice(cached, this.layout.shared);
    return this.engine.prefix(tokens, { from: this.#begun, signal, lease: this.lease });
  }

  /** Evaluates what all sampled prompts begin with, telling how far it has come. */
  async *#evaluateTrunk(signal: AbortSignal): AsyncGenerator<CompletionEvent, void, void> {
    const { shared } = this.layout;
    const before = this.engine.counters.promptTokens;
    let held: Held | undefined;
    const evaluation = this.#prefix(signal).then(made => {
      held = made;
    });
    try {
      while (!held) {
        await Promise.race([evaluation, pause(progressMs)]);
        const done = Math.min(shared, this.engine.counters.promptTokens - before);
        yield { type: 'prompt', done, total: this.promptTokens };
      }
      this.#trunk = held;
    } finally {
      if (!this.#trunk) evaluation.then(() => held!.release()).catch(() => {});
    }
  }

  #groupsOf(samples: readonly number[]): Group[] {
    return this.request.prompts
      .map((_, prompt) => ({ prompt, samples: samples.filter(index => this.measured.samples[index] === prompt) }))
      .filter(group => group.samples.length > 0);
  }

  #keep(sample: number, prompt: number, end: GenerateEvent & { type: 'end' }): Completion {
    const { finish, text, tokens, textTokens, logprobs, held } = end;
    if (this.request.reask) this.#ended.set(sample, { prompt, tokens: tokens.slice(0, textTokens), held });
    else held?.release();
    const logprob = logprobs?.reduce((sum, x) => sum + x, 0) ?? 0;
    return { sample, finish, text, tokens: Array.from(tokens), tokenCount: tokens.length, logprob };
  }

  #releaseAll(): void {
    for (const ended of this.#ended.values()) ended.held?.release();
    this.#ended.clear();
  }
}

/** Samples of one prompt in one wave. */
interface Group {
  readonly prompt: number;
  readonly samples: readonly number[];
}

async function* numbered(
  group: number,
  events: AsyncIterable<GenerateEvent>,
): AsyncGenerator<{ group: number; event: GenerateEvent }> {
  for await (const event of events) yield { group, event };
}

const progressMs = 100;

function pause(ms: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, ms).unref());
}

function describe({ model: { info }, settings }: AskEngine): Description {
  return {
    model: {
      path: info.path,
      file: basename(info.path),
      sizeBytes: info.sizeBytes,
      name: info.name,
      architecture: info.architecture,
      quantization: info.quantization.name,
      loadMode: info.loadMode,
      gpuLayers: info.gpuLayers,
    },
    machine: {
      platform: process.platform,
      arch: process.arch,
      node: process.version,
      devices: info.devices.map(({ name, description, backend }) => ({ name, description, backend })),
      cpuVariant: info.runtime.cpuVariant,
    },
    llama: info.runtime.build,
    engine: settings,
  };
}
