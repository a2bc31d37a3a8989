/**
 * When to stop asking:
 * - `none`: run every sample; for evaluation and audits, because every other rule can be replayed on the stored votes.
 * - `exact`: when the winner can no longer change; with `minVotes`, when nothing can change that `decide` would say of
 *   the full vote with that many votes needed: winner, tie, decision and reason. Never changes the result. With `winnerOpen`
 *   it also stops as soon as no answer can reach `minVotes`, even if the winner of such a vote is then not known.
 * - `beta`: when the leader would win against the runner-up in more than half of all samples with this probability
 *   (Adaptive-Consistency, arXiv 2305.11860). For 20 samples and more; it can change the winner.
 * - `esc`: when `window` consecutive samples agree (ESC, arXiv 2401.10480). The result is the vote over all samples drawn,
 *   where the published scripts return the window's answer; samples left over after the last full window are run too.
 */
export type StopRule =
  | {
      /** Run every sample. */
      readonly rule: 'none';
    }
  | {
      /** Stop when nothing can change any more. */
      readonly rule: 'exact';
      /** Votes needed for `agree`, 1 to all. Default: only the winner has to be settled. */
      readonly minVotes?: number;
      /** Stop too when no answer can reach `minVotes`, whoever wins. Default false. */
      readonly winnerOpen?: boolean;
    }
  | {
      /** Stop when the leader is probably ahead in the long run. */
      readonly rule: 'beta';
      /** How probably, 0.5 to 1. Default 0.95. */
      readonly confidence?: number;
    }
  | {
      /** Stop when a window of samples agrees. */
      readonly rule: 'esc';
      /** Samples of a window, 2 to 1000. Default 5. */
      readonly window?: number;
    };

export type StopRuleName = StopRule['rule'];
