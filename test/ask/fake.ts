import type { AskEngine } from '../../src/answerer/engine.js';
import type { AskModel } from '../../src/answerer/measure.js';
import { MeditronError } from '../../src/check/errors.js';
import { Held } from '../../src/engine/held.js';
import type { GenerateEvent } from '../../src/engine/jobs/generation.js';
import type { GenerateOptions, ScoreOptions } from '../../src/engine/jobs/options.js';
import type { Score } from '../../src/engine/jobs/scoring.js';
import type { Lease } from '../../src/engine/lease.js';
import { sampleSeeds } from '../../src/random/seeds.js';
import type { Finish } from '../../src/types.js';

/** What one sample will say, by sample index; `steps` is when it ends, one step a macrotask. */
export interface Line {
  readonly text: string;
  readonly finish?: Finish;
  readonly steps?: number;
  readonly logprob?: number;
}

export interface FakeOptions {
  readonly maxSequences?: number;
  readonly contextSize?: number;
  readonly sequenceSize?: number;
  readonly gpuLayers?: number;
  /** The log-probability of a continuation behind a prompt, for score(). */
  readonly score?: (continuation: string, prompt: string) => number;
}

/** Tokens are code points, so that everything can be read; special tokens do not exist. Scripted samples, in order of seeds. */
export class FakeEngine implements AskEngine {
  readonly counters = { steps: 0, promptTokens: 0, sampledTokens: 0 };
  readonly settings: AskEngine['settings'];
  readonly model: AskModel;
  readonly jobs: GenerateOptions[] = [];
  readonly scored: {
    readonly prompt: string;
    readonly held: number | undefined;
    readonly continuations: readonly string[];
  }[] = [];
  readonly leases: Lease['size'][] = [];
  released = 0;
  /** Sequences held and not released. */
  held = 0;
  readonly #held = new Map<Held, Int32Array>();

  constructor(
    private readonly lines: readonly Line[] | ((sample: number, prompt: string) => Line),
    private readonly options: FakeOptions = {},
  ) {
    const { maxSequences = 32, contextSize = 100_000, sequenceSize = 100_000, gpuLayers = 1 } = options;
    this.settings = {
      contextSize,
      sequenceSize,
      batchSize: 64,
      maxSequences,
      threads: 1,
      kvType: 'f16',
      flashAttention: 'auto',
      kernels: 'llama.cpp',
      loras: [],
      warnings: [],
    };
    this.model = {
      info: { ...info, gpuLayers },
      tokenize: async prompt =>
        codes(typeof prompt === 'string' ? prompt : prompt.map(segment => segment.text).join('')),
      continuation: async (_, text) => codes(text),
      special: async () => undefined,
    };
  }

  async *generate(job: GenerateOptions): AsyncGenerator<GenerateEvent, void, void> {
    this.jobs.push(job);
    const samplers = job.samplers!;
    const lines = samplers.map(({ seed }) => {
      const index = seed === undefined ? 0 : seeds.indexOf(seed);
      const whole = texts(Int32Array.from([...(this.#held.get(job.from!) ?? []), ...(job.prompt as Int32Array)]));
      return typeof this.lines === 'function' ? this.lines(index, whole) : this.lines[index]!;
    });
    const prompt = job.prompt as Int32Array;
    this.counters.promptTokens += prompt.length;
    yield { type: 'prompt', done: prompt.length, total: prompt.length };
    const last = Math.max(...lines.map(line => line.steps ?? 1));
    for (let step = 1; step <= last; step++) {
      await new Promise(resolve => setImmediate(resolve));
      job.signal?.throwIfAborted();
      this.counters.steps++;
      for (const [sample, line] of lines.entries()) {
        const steps = line.steps ?? 1;
        const text = line.text.slice(((step - 1) * line.text.length) / steps, (step * line.text.length) / steps);
        if (text !== '' && step <= steps) {
          this.counters.sampledTokens += text.length;
          yield { type: 'text', sample, text };
        }
        if (step === steps) yield this.#end(sample, line, job);
      }
    }
  }

  async score({ prompt, continuations, from, signal }: ScoreOptions): Promise<Score[]> {
    await new Promise(resolve => setImmediate(resolve));
    signal?.throwIfAborted();
    if (this.held >= this.settings.maxSequences) throw new MeditronError('ERR_CONTEXT_FULL', 'no sequences left');
    const text =
      prompt instanceof Int32Array
        ? texts(prompt)
        : typeof prompt === 'string'
          ? prompt
          : prompt.map(s => s.text).join('');
    const given = continuations.map(c => (typeof c === 'string' ? c : texts(c)));
    this.scored.push({ prompt: text, held: from?.tokenCount, continuations: given });
    return given.map(continuation => {
      const logprob = this.options.score?.(continuation, text) ?? -1;
      return { logprob, tokens: codes(continuation), logprobs: Float32Array.of(logprob) };
    });
  }

  async lease(size: Lease['size']): Promise<Lease> {
    this.leases.push(size);
    const release = () => {
      this.released++;
    };
    return { size, release, [Symbol.dispose]: release } as Lease;
  }

  async prefix(prompt: GenerateOptions['prompt']): Promise<Held> {
    this.counters.promptTokens += (prompt as Int32Array).length;
    this.counters.steps++;
    const held = this.#hold((prompt as Int32Array).length);
    this.#held.set(held, prompt as Int32Array);
    return held;
  }

  #end(sample: number, line: Line, job: GenerateOptions): GenerateEvent {
    const tokens = codes(line.text);
    const before = (job.from?.tokenCount ?? 0) + (job.prompt as Int32Array).length;
    return {
      type: 'end',
      sample,
      finish: line.finish ?? 'end',
      text: line.text,
      tokens,
      textTokens: tokens.length,
      logprobs: Float32Array.from(tokens, () => line.logprob ?? -0.5),
      stop: undefined,
      held: job.hold ? this.#hold(before + tokens.length) : undefined,
    };
  }

  #hold(tokens: number): Held {
    this.held++;
    return new FakeHeld(tokens, () => {
      this.held--;
    });
  }
}

class FakeHeld extends Held {
  readonly pending = 0;
  readonly cells = 0;
  #released = false;

  constructor(
    readonly tokenCount: number,
    private readonly onRelease: () => void,
  ) {
    super();
  }

  first(count: number): Held {
    return new FakeHeld(count, () => {});
  }

  release(): void {
    if (!this.#released) this.onRelease();
    this.#released = true;
  }
}

const seeds = sampleSeeds(0, 64);

export const codes = (text: string): Int32Array => Int32Array.from(text, c => c.codePointAt(0)!);
export const texts = (tokens: Int32Array): string => String.fromCodePoint(...tokens);

/** Samples that end with an answer, or with none for `-`. */
export function says(answers: string, more: Partial<Line> = {}): Line[] {
  return Array.from(answers, a => ({
    text: a === '-' ? 'I cannot say' : `because of this.\nThe answer is: ${a}`,
    ...more,
  }));
}

const info: Omit<AskModel['info'], 'gpuLayers'> = {
  path: '/models/fake.gguf',
  name: 'fake',
  architecture: 'llama',
  chatTemplate: null,
  sizeBytes: 1,
  quantization: { name: 'F16', tensors: {} },
  contextLength: 100_000,
  specialTokens: {},
  eos: 2,
  ends: new Int32Array(0),
  files: [],
  loadMode: 'read',
  keptBytes: 0,
  devices: [],
  runtime: { build: { headers: 'v0', libraries: '0', ggml: '0', kind: 'prebuilt' }, cpuVariant: 'none' },
};
