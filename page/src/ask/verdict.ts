import type { Answer } from '../../../src/server/meditron/protocol.js';

/** What an answer is shown as. */
export type Verdict = 'agreed' | 'split' | 'abstained' | 'stopped' | 'list' | 'free';

/** Which card an answer gets: abstention and an early stop are results with cards of their own. */
export function verdictOf({ decision, vote, ranking, cut, plan, samples }: Answer): Verdict {
  if (ranking) return 'list';
  if (!vote || decision === null)
    return samples.length < plan.samples && cut.length > 0 && samples.length === 0 ? 'stopped' : 'free';
  if (decision === 'agree') return 'agreed';
  if (vote.stoppedBy === 'aborted') return 'stopped';
  return decision === 'split' ? 'split' : 'abstained';
}

/** A chain that stands for its answer: the most probable of those that gave it. */
export interface Voice {
  readonly answer: string;
  readonly count: number;
  /** Of the chain, from 0. */
  readonly sample: number;
  readonly text: string;
}

/** One voice an answer, the most votes first: the answer's own rationale and dissent, and for others the chain of the highest log-probability. */
export function voicesOf({ vote, rationale, dissent, samples }: Answer): Voice[] {
  return (vote?.votes ?? []).flatMap(({ answer, count }) => {
    const given = [rationale, dissent].find(reason => reason?.answer === answer);
    const best = samples
      .filter(sample => sample.answer === answer)
      .reduce<(typeof samples)[number] | undefined>((a, b) => (a && a.logprob >= b.logprob ? a : b), undefined);
    const [sample, text] = given ? [given.sample, given.text] : [best?.index, best?.text];
    return sample === undefined || text === undefined ? [] : [{ answer, count, sample, text }];
  });
}
