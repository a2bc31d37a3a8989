import { type StopDecision, stopping } from '../vote/count/stopping.js';
import type { Ballot } from '../vote/count/tally.js';
import type { Asked } from './asked.js';
import { hasVote } from './options.js';
import type { Sample } from './read.js';
import type { VoteCounts } from './types.js';

/** How the samples of a question are counted. */
export interface Counting extends Pick<Asked, 'mode' | 'question' | 'samples' | 'stop'> {
  /** The answers on offer. */
  readonly labels: readonly string[];
}

/** Whether there is anything to count. */
export function counts({ mode, question }: Counting): boolean {
  return hasVote(mode, question);
}

export function ballotsOf(samples: readonly Sample[]): Ballot[] {
  return samples.map(({ index, vote, forced }) => ({ index, answer: vote, ...(forced && { forced }) }));
}

/** Whether the vote over these samples is closed by its rule, and which of them count. */
export function closedBy({ stop, samples: planned }: Counting, samples: readonly Sample[]): StopDecision {
  return stopping(stop, ballotsOf(samples), planned);
}

/** How many gave each answer, those nobody gave included. */
export function tallyOf(counting: Counting, samples: readonly Sample[]): VoteCounts {
  const { mode, question, labels, samples: planned } = counting;
  const tally: Record<string, number> = {};
  if (mode !== 'free' && question.kind !== 'chat') for (const label of labels) tally[label] = 0;
  let unparsed = 0;
  for (const { answer, list } of samples) {
    if (answer !== null) tally[answer] = (tally[answer] ?? 0) + 1;
    else if (counts(counting) && (mode !== 'ranked' || list?.length === 0)) unparsed++;
  }
  return { ...tally, unparsed, notRun: planned - samples.length };
}
