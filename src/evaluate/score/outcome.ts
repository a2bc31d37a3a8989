import type { ReadRow } from './read.js';

/**
 * What the figures need of one question, without its texts: one is kept for each of up to a million questions. Every
 * {@link ReadRow} is one.
 */
export interface Outcome
  extends Pick<
    ReadRow,
    | 'id'
    | 'gold'
    | 'subject'
    | 'cluster'
    | 'votes'
    | 'answer'
    | 'decision'
    | 'outside'
    | 'tie'
    | 'forced'
    | 'correct'
    | 'cannotTell'
    | 'unanswerable'
    | 'scores'
    | 'ms'
    | 'promptTokens'
    | 'error'
  > {
  /** How sure the answer is, where that is neither the share of its votes nor its probability: 0 to 1. */
  readonly confidence?: number;
  readonly samples: readonly Pick<ReadRow['samples'][number], 'answer' | 'tokens'>[];
}

/** The row without its texts, and with the score of its answer alone. */
export function outcomeOf(row: ReadRow): Outcome {
  const {
    id,
    gold,
    subject,
    cluster,
    votes,
    answer,
    decision,
    outside,
    tie,
    forced,
    correct,
    ms,
    promptTokens,
    error,
  } = row;
  const { cannotTell, unanswerable } = row;
  const scores = row.scores?.filter(score => score.answer === answer);
  return {
    id,
    ...(gold !== undefined && { gold }),
    ...(subject !== undefined && { subject }),
    ...(cluster !== undefined && { cluster }),
    votes,
    ...(answer !== undefined && { answer }),
    ...(decision !== undefined && { decision }),
    ...(outside && { outside }),
    ...(tie !== undefined && { tie }),
    ...(forced !== undefined && { forced }),
    ...(correct !== undefined && { correct }),
    ...(cannotTell && { cannotTell }),
    ...(unanswerable && { unanswerable }),
    ...(scores && { scores }),
    ...(ms !== undefined && { ms }),
    ...(promptTokens !== undefined && { promptTokens }),
    ...(error !== undefined && { error }),
    samples: row.samples.map(sample => ({
      ...(sample.answer !== undefined && { answer: sample.answer }),
      ...(sample.tokens !== undefined && { tokens: sample.tokens }),
    })),
  };
}

/** Right, wrong, or undefined without an answer. */
export function verdictOf({ answer, correct }: Pick<Outcome, 'answer' | 'correct'>): boolean | undefined {
  return answer === undefined ? undefined : correct === true;
}

/** Questions with the same name are one question asked again. */
export function clusterOf({ cluster, id }: Pick<Outcome, 'cluster' | 'id'>): string {
  return cluster ?? `item ${id}`;
}
