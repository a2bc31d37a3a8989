import { MeditronError } from '../../check/errors.js';
import { scoredInStep } from '../../engine/capacity/scoring.js';
import type { Engine } from '../../engine/engine.js';
import type { SampleEnd } from '../../engine/jobs/generation.js';
import type { GenerateOptions } from '../../engine/jobs/options.js';
import { Line } from '../../engine/line.js';
import { type EngineCounters, noCounts } from '../../engine/settings.js';
import { added } from './sum.js';

/** A prompt whose log-probabilities are asked for. */
export interface ScoredPrompt extends Omit<GenerateOptions, 'prompt' | 'promptLogprobs' | 'lease' | 'from' | 'hold'> {
  readonly prompt: Int32Array;
  readonly signal: AbortSignal;
}

/**
 * Scores prompts, one after the other, in an engine of one sequence beside the one that requests share: rows of others in a batch, and where their tokens
 * lie in the cache, change in which order sums are added up, and so log-probabilities. The two take turns, step by step. It is opened when it is first
 * needed, and again where a prompt is longer than all before; where there is no memory for it, the shared engine is kept free for each prompt.
 */
export class Scorer {
  readonly #line = new Line();
  #engine: Engine | undefined;
  #before: EngineCounters = noCounts();

  constructor(
    private readonly shared: Engine,
    /** A smaller one with the same settings. */
    private readonly open: (size: { contextSize: number; batchSize: number; maxSequences: 1 }) => Promise<Engine>,
  ) {}

  get counters(): EngineCounters {
    return added(this.#before, this.#engine?.counters ?? noCounts());
  }

  get takenSequences(): number {
    return this.#engine?.takenSequences ?? 0;
  }

  /** @throws MeditronError as `Engine.generate` */
  score(asked: ScoredPrompt): Promise<SampleEnd> {
    return this.#line.run(asked.signal, async () => {
      const tokens = asked.prompt.length + (asked.maxTokens ?? 1);
      if (tokens > this.shared.settings.sequenceSize) return scored(this.shared, asked); // which says why it is refused
      const engine = await this.#engineOf(tokens);
      return engine ? scored(engine, asked) : scoredAlone(this.shared, asked);
    });
  }

  async close(): Promise<void> {
    const engine = this.#engine;
    this.#engine = undefined;
    if (!engine) return;
    await engine.close();
    this.#before = added(this.#before, engine.counters);
  }

  async #engineOf(tokens: number): Promise<Engine | undefined> {
    if (this.#engine && this.#engine.settings.sequenceSize >= tokens) return this.#engine;
    await this.close();
    const { settings, model } = this.shared;
    const contextSize = Math.min(settings.contextSize, cellsFor(tokens, model.info.architecture));
    try {
      this.#engine = await this.open({
        contextSize,
        batchSize: Math.min(scoredInStep, settings.batchSize),
        maxSequences: 1,
      });
    } catch (error) {
      if (!(error instanceof MeditronError && error.code === 'ERR_MEMORY')) throw error;
    }
    return this.#engine;
  }
}

/** Phi's models rotate otherwise in a context beyond some length: theirs is as large as the shared one. */
function cellsFor(tokens: number, architecture: string | null): number {
  return architecture?.startsWith('phi')
    ? Number.POSITIVE_INFINITY
    : 512 * 2 ** Math.ceil(Math.log2(Math.max(1, tokens / 512)));
}

async function scored(engine: Engine, asked: ScoredPrompt & Pick<GenerateOptions, 'lease'>): Promise<SampleEnd> {
  for await (const event of engine.generate({ ...asked, promptLogprobs: true }))
    if (event.type === 'end' && event.finish !== 'cancelled') return event;
  throw asked.signal.reason;
}

/** In a lease of all there is. */
async function scoredAlone(engine: Engine, asked: ScoredPrompt): Promise<SampleEnd> {
  const { maxSequences, contextSize } = engine.settings;
  using lease = await engine.lease({ sequences: maxSequences, cells: contextSize }, { signal: asked.signal });
  return await scored(engine, { ...asked, lease });
}
