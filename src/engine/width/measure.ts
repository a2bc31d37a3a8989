import { leastProcessorShare } from '../capacity/limits.js';
import type { StepTimes } from '../capacity/width.js';
import type { Engine } from '../engine.js';
import type { Held } from '../held.js';
import type { EngineOptions, Model } from '../model.js';

export interface Steps {
  readonly times: StepTimes;
  /** Whether the program had the processor to itself: else the times say nothing of another day. */
  readonly quiet: boolean;
}

/** Measured for so long at least, and until the two least times of every number agree to a part of so much; not much more often than that. */
const enoughMs = 250;
const agreement = 0.1;
const mostRounds = 3;
/** Steps of one number of samples in a row, where that takes no time. */
const stepsInARow = 8;
/** Tokens before the samples: of a usual question, as far as they are evaluated in a moment. Of a small model's step, attention to them is a third. */
const mostPromptTokens = 320;

/**
 * Measures what steps of `widths` samples take, and of one, on an engine of its own with given options: two or three of each where a step
 * takes long, else for a quarter of a second or little more.
 *
 * @throws MeditronError as `Model.createEngine` and `Engine.generate`; the signal's reason
 */
export async function measureSteps(
  model: Model,
  widths: readonly number[],
  options: EngineOptions,
  signal: AbortSignal | undefined,
): Promise<Steps> {
  const most = Math.max(...widths);
  const contextSize = mostPromptTokens + 1 + most * (stepsInARow + 1);
  await using engine = await model.createEngine({ ...options, contextSize, maxSequences: most + 1 });
  const started = performance.now();
  const first = await round(engine, { widths, steps: 1, signal });
  if (starved(engine)) return { times: new Map(), quiet: false };
  const slow = performance.now() - started >= enoughMs;
  const promptTokens = slow ? 1 : Math.ceil(Math.min(mostPromptTokens, 1 / first.get(1)!));
  const prompt = new Int32Array(promptTokens).fill(tokenOf(model));
  using from = await engine.prefix(prompt, { bos: 'never', signal });
  // Of a model that is fast the first round shows cold caches and threads asleep.
  const rounds = slow ? [first] : [];
  const start = performance.now();
  for (;;) {
    const order = rounds.length % 2 === 0 ? widths : [...widths].reverse();
    rounds.push(await round(engine, { widths: order, steps: slow ? 1 : stepsInARow, from, signal }));
    const passed = performance.now() - start;
    if (starved(engine)) return { times: new Map(), quiet: false };
    const agreed = agree(rounds);
    if (rounds.length < 2 || passed < enoughMs) continue;
    if (!agreed && (rounds.length < mostRounds || passed < 2 * enoughMs)) continue;
    const times = new Map([...first.keys()].map(width => [width, leastOf(rounds, width)[0]!]));
    return { times, quiet: agreed };
  }
}

function agree(rounds: readonly StepTimes[]): boolean {
  return [...rounds[0]!.keys()].every(width => {
    const [least, next] = leastOf(rounds, width);
    return next !== undefined && next <= least! * (1 + agreement);
  });
}

function leastOf(rounds: readonly StepTimes[], width: number): number[] {
  return rounds.map(times => times.get(width)!).sort((a, b) => a - b);
}

interface Round {
  readonly widths: readonly number[];
  readonly steps: number;
  readonly from?: Held;
  readonly signal: AbortSignal | undefined;
}

/**
 * Seconds of a step of every number of samples. Where there is one step of each, that of one sample is the step of a prompt of one token:
 * what it takes to begin a job then counts for little.
 */
async function round(engine: Engine, { widths, steps, from, signal }: Round): Promise<Map<number, number>> {
  const times = new Map<number, number>();
  const prompt = Int32Array.of(tokenOf(engine.model));
  for (const width of widths.filter(width => width > 1 || steps > 1)) {
    if (starved(engine)) break;
    const samplers = Array.from({ length: width }, () => ({ temperature: 0.8 }));
    const job = { prompt, from, samplers, maxTokens: steps + 1, ignoreEnd: true, logprobs: true, seed: 1, signal };
    const start = performance.now();
    let evaluated = start;
    for await (const event of engine.generate(job)) if (event.type === 'prompt') evaluated = performance.now();
    if (steps === 1) times.set(1, Math.min((evaluated - start) / 1000, times.get(1) ?? Infinity));
    times.set(width, (performance.now() - evaluated) / 1000 / steps);
  }
  return times;
}

function tokenOf({ info }: Pick<Model, 'info'>): number {
  return info.bos ?? 0;
}

/** Whether other programs had a part of the processor time that the engine's steps wanted; seen when that was enough to tell. */
function starved({ counters, settings }: Engine): boolean {
  const { decodeMicroseconds, samplingMicroseconds, nativeMicroseconds, processorMicroseconds } = counters;
  if (decodeMicroseconds < (1000 * enoughMs) / 2) return false;
  const wanted = settings.threads * decodeMicroseconds + samplingMicroseconds + nativeMicroseconds;
  return processorMicroseconds < leastProcessorShare * wanted;
}
