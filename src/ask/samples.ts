import type { SampleEnd } from '../engine/jobs/generation.js';
import { type StopDecision, stopping } from '../vote/count/stopping.js';
import type { Ballot } from '../vote/count/tally.js';
import type { VoteCounts } from './answer.js';
import { hasVote } from './options.js';
import type { Prepared, Variant } from './prepare.js';
import type { Reading } from './reading.js';

/** A sample that ran to its end, and what it said. */
export interface Finished {
  readonly index: number;
  readonly variant: Variant;
  readonly end: Omit<SampleEnd, 'held'>;
  readonly reading: Reading;
  /** Set if it was asked again: the answer, and the log-probability of each by original letter. */
  readonly forced?: { readonly answer: string; readonly logprobs: Readonly<Record<string, number>> };
}

/** What has come of the samples so far. */
export class Samples {
  readonly finished = new Map<number, Finished>();
  /** Text of every sample that was begun. */
  readonly texts = new Map<number, string>();
  /** Finished without an answer, and may still be asked again: not yet abstentions. */
  readonly open = new Set<number>();

  constructor(private readonly prepared: Prepared) {}

  get ballots(): Ballot[] {
    return [...this.finished.values()]
      .filter(({ index }) => !this.open.has(index))
      .map(({ index, reading, forced }) => ({
        index,
        answer: forced?.answer ?? reading.vote,
        ...(forced && { forced: true }),
      }));
  }

  /** Whether the vote is closed by its rule. */
  get decision(): StopDecision {
    return stopping(this.prepared.ask.stop, this.ballots, this.prepared.ask.samples);
  }

  get stop(): boolean {
    const { ask, question } = this.prepared;
    return hasVote(ask.mode, question) && ask.mode !== 'ranked' && this.decision.stop;
  }

  /** Counts by answer of those that have finished. */
  get counts(): VoteCounts {
    return countsOf(this.prepared, [...this.finished.values()]);
  }
}

/** The answer a finished sample counts for, as it is shown. */
export function answerOf({ reading, forced }: Finished): string | undefined {
  return forced?.answer ?? reading.answer;
}

export function countsOf({ ask, question, variants }: Prepared, finished: readonly Finished[]): VoteCounts {
  const counts: Record<string, number> = {};
  if (ask.mode !== 'free' && question.kind !== 'chat')
    for (const label of variants[0]!.prompt.labels) counts[label] = 0;
  let unparsed = 0;
  for (const sample of finished) {
    const answer = answerOf(sample);
    if (answer !== undefined) counts[answer] = (counts[answer] ?? 0) + 1;
    else if (hasVote(ask.mode, question) && (ask.mode !== 'ranked' || sample.reading.list!.length === 0)) unparsed++;
  }
  return { ...counts, unparsed, notRun: ask.samples - finished.length };
}
