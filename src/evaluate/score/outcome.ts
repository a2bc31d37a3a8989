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
    | 'tie'
    | 'forced'
    | 'correct'
    | 'scores'
    | 'ms'
    | 'promptTokens'
    | 'error'
  > {
  readonly samples: readonly Pick<ReadRow['samples'][number], 'answer' | 'tokens'>[];
}

/** The row without its texts. */
export function outcomeOf({ question: _, options: __, context: ___, samples, ...rest }: ReadRow): Outcome {
  return {
    ...rest,
    samples: samples.map(({ answer, tokens }) => ({
      ...(answer !== undefined && { answer }),
      ...(tokens !== undefined && { tokens }),
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
