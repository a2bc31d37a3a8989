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

/** Measured until so long has passed; once at least, whatever a step takes. */
const enoughMs = 250;
/** Steps of one number of samples in a row, after the first round. */
const stepsInARow = 8;
/** Tokens before the samples: of a usual question, as far as they are evaluated in a moment. Of a small model's step, attention to them is a third. */
const mostPromptTokens = 320;

/**
 * Measures what steps of `widths` samples take, and of one, on an engine of its own with given options: as long as the few steps that it takes
 * to see each number once, and at least a quarter of a second.
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
  const start = performance.now();
  const first = await round(engine, { widths, steps: 1, signal });
  const quiet = () => processorShare(engine) >= leastProcessorShare;
  if (performance.now() - start >= enoughMs) return { times: first, quiet: quiet() };

  // Caches were cold, threads asleep.
  const promptTokens = Math.ceil(Math.min(mostPromptTokens, 1 / first.get(1)!));
  const prompt = new Int32Array(promptTokens).fill(tokenOf(model));
  using from = await engine.prefix(prompt, { bos: 'never', signal });
  const times = new Map<number, number>();
  const again = performance.now();
  do {
    for (const [width, seconds] of await round(engine, { widths, steps: stepsInARow, from, signal }))
      times.set(width, Math.min(seconds, times.get(width) ?? Infinity));
  } while (performance.now() - again < enoughMs);
  return { times, quiet: quiet() };
}

interface Round {
  readonly widths: readonly number[];
  readonly steps: number;
  readonly from?: Held;
  readonly signal: AbortSignal | undefined;
}

/** Seconds of a step of every number of samples; that of one is the step of a prompt of one token. */
async function round(engine: Engine, { widths, steps, from, signal }: Round): Promise<Map<number, number>> {
  const times = new Map<number, number>();
  const prompt = Int32Array.of(tokenOf(engine.model));
  for (const width of widths.filter(width => width > 1)) {
    const samplers = Array.from({ length: width }, () => ({ temperature: 0.8 }));
    const job = { prompt, from, samplers, maxTokens: steps + 1, ignoreEnd: true, logprobs: true, seed: 1, signal };
    const start = performance.now();
    let evaluated = start;
    for await (const event of engine.generate(job)) if (event.type === 'prompt') evaluated = performance.now();
    times.set(1, Math.min((evaluated - start) / 1000, times.get(1) ?? Infinity));
    times.set(width, (performance.now() - evaluated) / 1000 / steps);
  }
  return times;
}

function tokenOf({ info }: Pick<Model, 'info'>): number {
  return info.bos ?? 0;
}

/** Of the processor time that the engine's steps wanted, the part they got. */
function processorShare({ counters, settings }: Engine): number {
  const { decodeMicroseconds, samplingMicroseconds, nativeMicroseconds, processorMicroseconds } = counters;
  return processorMicroseconds / (settings.threads * decodeMicroseconds + samplingMicroseconds + nativeMicroseconds);
}
