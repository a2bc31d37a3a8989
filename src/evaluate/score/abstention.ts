import type { Outcome } from './outcome.js';

/** What a run did with questions that have a right option, and with those whose right option was taken out. */
export interface Abstention {
  /** Whether "I cannot tell" was among the options. */
  readonly offered: boolean;
  readonly answerable: {
    readonly questions: number;
    readonly answered: number;
    readonly correct: number;
    /** Those to which it was the answer. */
    readonly cannotTell: number;
  };
  readonly unanswerable: {
    readonly questions: number;
    /** Those that got an answer all the same; every one is wrong. */
    readonly answered: number;
    /** Of these, those on which the vote agreed. */
    readonly agreed: number;
    readonly cannotTell: number;
  };
}

export function abstentionOf(rows: readonly Outcome[], offered: boolean): Abstention {
  const answerable = rows.filter(({ gold }) => gold !== undefined);
  const unanswerable = rows.filter(row => row.unanswerable === true);
  const answered = (row: Outcome) => row.answer !== undefined;
  const cannotTell = (row: Outcome) => row.cannotTell === true;
  return {
    offered,
    answerable: {
      questions: answerable.length,
      answered: answerable.filter(answered).length,
      correct: answerable.filter(({ correct }) => correct === true).length,
      cannotTell: answerable.filter(cannotTell).length,
    },
    unanswerable: {
      questions: unanswerable.length,
      answered: unanswerable.filter(answered).length,
      agreed: unanswerable.filter(row => answered(row) && row.decision === 'agree').length,
      cannotTell: unanswerable.filter(cannotTell).length,
    },
  };
}
