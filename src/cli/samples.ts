import type { Engine } from '../engine/engine.js';
import type { SampleEnd } from '../engine/jobs/generation.js';
import type { GenerateOptions } from '../engine/jobs/options.js';
import type { Finish } from '../types.js';
import { progressBar } from './terminal/progress.js';
import type { Streams } from './terminal/streams.js';
import { type JobTimings, Stopwatch } from './timings.js';

/** What a sample came to, as `--json` prints it. */
export interface Sample {
  readonly text: string;
  /** Null for a sample that was cancelled before the engine had it. */
  readonly tokens: readonly number[] | null;
  readonly finish: Finish;
  /** The stop string that ended it. */
  readonly stop?: string;
  readonly logprobs?: readonly number[];
}

export interface Outcome {
  readonly samples: readonly Sample[];
  readonly timings: JobTimings;
  /** Why it ended early, if it did. */
  readonly interrupted: unknown;
}

/** Generates, showing text as it comes. An abort of the signal is no error here: what there is is returned. */
export async function generate(
  engine: Engine,
  options: GenerateOptions & { readonly signal: AbortSignal; readonly samplers: readonly object[] },
  streams: Streams,
): Promise<Outcome> {
  const { signal } = options;
  const texts = options.samplers.map(() => '');
  const ends: SampleEnd[] = [];
  const stopwatch = new Stopwatch(engine);
  const progress = progressBar('Reading the prompt');
  try {
    for await (const event of stopwatch.watch(engine.generate(options), options.samplers.length)) {
      if (event.type === 'prompt') {
        progress.show(event.done / event.total);
        if (event.done === event.total) progress.stop();
      }
      if (event.type === 'text') {
        texts[event.sample] += event.text;
        streams.text(event.sample, event.text);
      }
      if (event.type === 'end') {
        ends[event.sample] = event;
        streams.end(event.sample, event.finish);
      }
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    progress.stop();
  }
  const samples = texts.map((text, index) => sampleOf(ends[index], text));
  samples.forEach((_, index) => {
    if (!ends[index]) streams.end(index, 'cancelled');
  });
  return {
    samples,
    timings: stopwatch.timings(),
    interrupted: signal.aborted && samples.some(sample => sample.finish === 'cancelled') ? signal.reason : undefined,
  };
}

function sampleOf(end: SampleEnd | undefined, text: string): Sample {
  if (!end) return { text, tokens: null, finish: 'cancelled' };
  return {
    text: end.text,
    tokens: Array.from(end.tokens),
    finish: end.finish,
    ...(end.stop !== undefined && { stop: end.stop }),
    ...(end.logprobs && { logprobs: Array.from(end.logprobs) }),
  };
}
