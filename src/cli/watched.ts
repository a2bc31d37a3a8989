import { askStream } from '../ask/ask.js';
import type { AskOptions } from '../ask/options.js';
import { roomFor } from '../ask/room.js';
import type { Answer, AskEvent } from '../ask/types.js';
import type { EngineOptions, Model } from '../engine/model.js';
import type { Question } from '../prompt/question/question.js';
import type { Chains } from './terminal/chains.js';
import { type JobTimings, Stopwatch } from './timings.js';

export interface Watching {
  /** Where the chains are shown while they are written; made anew for every attempt. */
  readonly chains: () => Chains;
  /** Closes the vote with what there is. */
  readonly signal: AbortSignal;
}

export interface Watched {
  readonly answer: Answer;
  /** Milliseconds until the engine was made. */
  readonly contextMs: number;
  readonly timings: JobTimings;
}

/** Asks a loaded model, on an engine of the size that the question needs. */
export async function askWatched(
  model: Model,
  question: Question,
  options: AskOptions,
  given: EngineOptions,
  { chains: begin, signal }: Watching,
): Promise<Watched> {
  const room = await roomFor(model, question, options);
  const start = performance.now();
  await using engine = await model.createEngine({
    ...given,
    contextSize: given.contextSize ?? room.contextSize,
    maxSequences: room.maxSequences,
  });
  const contextMs = performance.now() - start;
  const { engine: watched, stopwatch } = Stopwatch.on(engine);
  const chains = begin();
  try {
    const answer = await drained(askStream(watched, question, { ...options, until: signal }), chains.show);
    return { answer, contextMs, timings: stopwatch.timings() };
  } finally {
    chains.close();
  }
}

async function drained(
  stream: AsyncGenerator<AskEvent, Answer, void>,
  show: (event: AskEvent) => void,
): Promise<Answer> {
  for (;;) {
    const { done, value } = await stream.next();
    if (done) return value;
    show(value);
  }
}
