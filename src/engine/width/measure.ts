import { leastProcessorShare } from '../capacity/limits.js';
import type { StepTimes } from '../capacity/width.js';
import type { Engine } from '../engine.js';
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
  const contextSize = 1 + most * (stepsInARow + 1);
  await using engine = await model.createEngine({ ...options, contextSize, maxSequences: most });
  const start = performance.now();
  const passed = () => performance.now() - start;
  let times = await round(engine, widths, 1, signal);
  if (passed() < enoughMs) {
    times = new Map(); // caches were cold, threads asleep
    while (passed() < enoughMs || times.size === 0) {
      for (const [width, seconds] of await round(engine, widths, stepsInARow, signal))
        times.set(width, Math.min(seconds, times.get(width) ?? Infinity));
    }
  }
  return { times, quiet: processorShare(engine) >= leastProcessorShare };
}

/** Seconds of a step of every number of samples; that of one is the step of a prompt of one token. */
async function round(
  engine: Engine,
  widths: readonly number[],
  steps: number,
  signal: AbortSignal | undefined,
): Promise<Map<number, number>> {
  const times = new Map<number, number>();
  for (const width of widths.filter(width => width > 1)) {
    const samplers = Array.from({ length: width }, () => ({ temperature: 0.8 }));
    const prompt = Int32Array.of(engine.model.info.bos ?? 0);
    const start = performance.now();
    let evaluated = start;
    const job = { prompt, samplers, maxTokens: steps + 1, ignoreEnd: true, logprobs: true, seed: 1, signal };
    for await (const event of engine.generate(job)) if (event.type === 'prompt') evaluated = performance.now();
    times.set(1, Math.min((evaluated - start) / 1000, times.get(1) ?? Infinity));
    times.set(width, (performance.now() - evaluated) / 1000 / steps);
  }
  return times;
}

/** Of the processor time that the engine's steps wanted, the part they got. */
function processorShare({ counters, settings }: Engine): number {
  const { decodeMicroseconds, samplingMicroseconds, nativeMicroseconds, processorMicroseconds } = counters;
  return processorMicroseconds / (settings.threads * decodeMicroseconds + samplingMicroseconds + nativeMicroseconds);
}
