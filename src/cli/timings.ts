import { Option } from 'commander';
import type { AskEngine } from '../answerer/engine.js';
import type { Engine } from '../engine/engine.js';
import type { GenerateEvent } from '../engine/jobs/generation.js';
import { say } from './terminal/output.js';
import { type Row, table } from './terminal/table.js';

/** How fast the jobs of an answer were, by the events and counters of their engine. What there was not is null. */
export interface JobTimings {
  /** Prompt tokens that were evaluated: those that were in the cache already do not count. */
  readonly promptTokens: number;
  /** Milliseconds in which prompts were evaluated. */
  readonly promptMs: number;
  readonly promptTokensPerSecond: number | null;
  /** Milliseconds from the start of the first prompt to the first text. */
  readonly firstTokenMs: number | null;
  /** Tokens of all samples together. */
  readonly sampledTokens: number;
  /** Milliseconds in which samples went on behind their prompt, whose evaluation gives the first token of each. */
  readonly generateMs: number;
  /** Of all samples together, the first token of each left out. */
  readonly tokensPerSecond: number | null;
  /** Of one sample, on the average of those that ended. */
  readonly tokensPerSecondOfOne: number | null;
}

/** What `--timings` says. */
export interface Timings extends JobTimings {
  /** Milliseconds for the model, its context and what `--prefix` keeps; null where all were there already. */
  readonly loadMs: number | null;
}

/** Of every command that answers. */
export function timingsOption(): Option {
  return new Option('--timings', 'say at the end how fast it was: loading, prompt, first token, tokens a second');
}

/** On stderr, a line each. */
export function sayTimings(timings: Timings): void {
  const rows = table(rowsOf(timings), process.stderr.columns ?? 100);
  for (const line of rows.trimEnd().split('\n')) say(line);
}

function rowsOf(timings: Timings): Row[] {
  const { loadMs, promptTokens, promptMs, promptTokensPerSecond, firstTokenMs } = timings;
  const { sampledTokens, generateMs, tokensPerSecond, tokensPerSecondOfOne: one } = timings;
  const speed = (value: number | null, what = '') => (value === null ? '' : `, ${value} tokens/s${what}`);
  return [
    ...(loadMs === null ? [] : [['loading', seconds(loadMs)] as const]),
    ['prompt', `${counted(promptTokens)} in ${seconds(promptMs)}${speed(promptTokensPerSecond)}`],
    ['first token', firstTokenMs === null ? 'none' : `after ${seconds(firstTokenMs)}`],
    [
      'generation',
      `${counted(sampledTokens)} in ${seconds(generateMs)}${speed(tokensPerSecond, ' in all')}${speed(one, ' of one sample')}`,
    ],
  ];
}

function counted(tokens: number): string {
  return `${tokens} ${tokens === 1 ? 'token' : 'tokens'}`;
}

function seconds(milliseconds: number): string {
  return milliseconds < 1000 ? `${Math.round(milliseconds)} ms` : `${(milliseconds / 1000).toFixed(1)} s`;
}

/** Measures the jobs of one answer, which it sees pass. */
export class Stopwatch {
  readonly #prompting = new Spans();
  readonly #generating = new Spans();
  readonly #sampledBefore: number;
  #start: number | undefined;
  #first: number | undefined;
  #promptTokens = 0;
  /** Samples whose prompt has been evaluated. */
  #begun = 0;
  /** Of samples that ended: their tokens but the first, and the milliseconds between. */
  readonly #ended = { tokens: 0, milliseconds: 0 };

  constructor(private readonly engine: Pick<Engine, 'counters'>) {
    this.#sampledBefore = engine.counters.sampledTokens;
  }

  /** The same engine; what asking has it do is measured. */
  static on(engine: Engine): { readonly engine: AskEngine; readonly stopwatch: Stopwatch } {
    const stopwatch = new Stopwatch(engine);
    const watched: AskEngine = {
      model: engine.model,
      settings: engine.settings,
      counters: engine.counters,
      lease: (...given) => engine.lease(...given),
      generate: options => stopwatch.watch(engine.generate(options), options.samplers?.length ?? 1),
      prefix: (...given) => stopwatch.#prompted(() => engine.prefix(...given)),
      score: options => stopwatch.#prompted(() => engine.score(options)),
    };
    return { engine: watched, stopwatch };
  }

  /** Hands on the events of a job with so many samples. */
  async *watch(
    events: AsyncGenerator<GenerateEvent, void, void>,
    samples: number,
  ): AsyncGenerator<GenerateEvent, void, void> {
    this.#start ??= performance.now();
    const prompting = this.#prompting.begin();
    let generating: (() => void) | undefined;
    let prompted = 0;
    let evaluated = 0;
    try {
      for await (const event of events) {
        const now = performance.now();
        if (event.type === 'prompt') {
          evaluated = event.done;
          if (event.done === event.total && !generating) {
            prompting();
            generating = this.#generating.begin();
            prompted = now;
            this.#begun += samples;
          }
        }
        if (event.type === 'text') this.#first ??= now;
        if (event.type === 'end' && event.finish !== 'cancelled') {
          this.#first ??= now;
          this.#ended.tokens += event.tokens.length - 1;
          this.#ended.milliseconds += now - prompted;
        }
        yield event;
      }
    } finally {
      prompting();
      generating?.();
      this.#promptTokens += evaluated;
    }
  }

  /** What it came to. */
  timings(): JobTimings {
    const sampledTokens = this.engine.counters.sampledTokens - this.#sampledBefore;
    return {
      promptTokens: this.#promptTokens,
      promptMs: tenth(this.#prompting.milliseconds),
      promptTokensPerSecond: perSecond(this.#promptTokens, this.#prompting.milliseconds),
      firstTokenMs: this.#first === undefined ? null : tenth(this.#first - this.#start!),
      sampledTokens,
      generateMs: tenth(this.#generating.milliseconds),
      tokensPerSecond: perSecond(sampledTokens - this.#begun, this.#generating.milliseconds),
      tokensPerSecondOfOne: perSecond(this.#ended.tokens, this.#ended.milliseconds),
    };
  }

  /** Work that evaluates a prompt and samples nothing. */
  async #prompted<T>(work: () => Promise<T>): Promise<T> {
    this.#start ??= performance.now();
    const before = this.engine.counters.promptTokens;
    const end = this.#prompting.begin();
    try {
      return await work();
    } finally {
      end();
      this.#promptTokens += this.engine.counters.promptTokens - before;
    }
  }
}

/** The time in which at least one of several things goes on. */
class Spans {
  #total = 0;
  #open = 0;
  #since = 0;

  /** Of all spans that have ended. */
  get milliseconds(): number {
    return this.#total;
  }

  /** Call the result to end it, once or more often. */
  begin(): () => void {
    if (this.#open++ === 0) this.#since = performance.now();
    let ended = false;
    return () => {
      if (ended) return;
      ended = true;
      if (--this.#open === 0) this.#total += performance.now() - this.#since;
    };
  }
}

function perSecond(tokens: number, milliseconds: number): number | null {
  return tokens > 0 && milliseconds > 0 ? tenth(tokens / (milliseconds / 1000)) : null;
}

/** To a tenth. */
export function tenth(value: number): number {
  return Math.round(value * 10) / 10;
}
