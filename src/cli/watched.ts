import { answererOf } from '../answerer/engine.js';
import { tooShortToKeep } from '../answerer/kept.js';
import { askStream } from '../ask/ask.js';
import { questionFree } from '../ask/beginning.js';
import type { AskOptions } from '../ask/options.js';
import type { Answer, AskEvent, Evidence } from '../ask/types.js';
import type { EngineOptions, Model } from '../engine/model.js';
import type { Question } from '../prompt/question/question.js';
import { kept, type PrefixFile } from './prefix.js';
import type { Chains } from './terminal/chains.js';
import { type JobTimings, Stopwatch } from './timings.js';
import { engineFor } from './width.js';

export interface Watching {
  /** Where the chains are shown while they are written; made anew for every attempt. */
  readonly chains: () => Chains;
  /** Closes the vote with what there is. */
  readonly signal: AbortSignal;
  readonly prefix?: PrefixFile | undefined;
  /** Takes the record of the samples that had finished, where the asking fails after that. */
  readonly unfinished?: (evidence: Evidence) => void;
  /** Where no width is given: the one that was measured on this machine, or that is measured again. Default: the usual one. */
  readonly width?: 'measured' | 'again' | undefined;
}

export interface Watched {
  readonly answer: Answer;
  /** Milliseconds until the engine was made, and had what `prefix` keeps. */
  readonly contextMs: number;
  readonly timings: JobTimings;
}

/** Asks a loaded model, on an engine of the size that the question needs. */
export async function askWatched(
  model: Model,
  question: Question,
  options: AskOptions,
  given: EngineOptions,
  { chains: begin, signal, prefix, unfinished, width }: Watching,
): Promise<Watched> {
  const tokens = prefix === undefined ? new Int32Array() : await questionFree(model, question, options);
  const keeps = prefix !== undefined && tooShortToKeep(tokens) === undefined;
  const start = performance.now();
  const made = await engineFor(model, {
    question,
    options,
    engine: given,
    beginning: keeps ? tokens : new Int32Array(),
    width,
    signal,
  });
  await using engine = made.engine;
  const { beginning, warnings } = prefix === undefined ? { warnings: [] } : await kept(engine, tokens, prefix, signal);
  const contextMs = performance.now() - start;
  const { engine: watched, stopwatch } = Stopwatch.on(engine);
  const chains = begin();
  try {
    const answerer = answererOf(watched, beginning);
    const given = await drained(askStream(answerer, question, { ...made.options, until: signal }), event => {
      if (event.type === 'unfinished') unfinished?.(event.evidence);
      chains.show(event);
    });
    const answer = { ...given, warnings: [...made.warnings, ...warnings, ...given.warnings] };
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
