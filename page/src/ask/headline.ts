import type { Answer, Question } from '../../../src/server/meditron/protocol.js';
import { words } from '../words/words.js';
import { inFull, inShort } from './question.js';
import { verdictOf } from './verdict.js';

/** What a card or a sheet begins with. */
export function headline(answer: Answer, question: Question): string {
  const t = words.value.answer;
  const all = words.value;
  const heard = answer.samples.length;
  switch (verdictOf(answer)) {
    case 'agreed':
      return inFull(answer.answer ?? '', question, all);
    case 'split':
      return t.split(
        (answer.vote?.votes ?? []).map(({ answer, count }) => t.says(count, inShort(answer, question, all))),
      );
    case 'abstained':
      return t.abstained;
    case 'stopped':
      return t.stopped(heard, answer.plan.samples);
    case 'list':
      if (answer.vote?.stoppedBy === 'aborted') return t.stopped(heard, answer.plan.samples);
      return answer.reason === 'out_of_scope' ? t.abstained : t.list;
    default:
      return t.free;
  }
}

/** One sentence below the headline: how many say so, why there is no answer, or what led when it was stopped. Empty where there is none. */
export function underHeadline(answer: Answer, question: Question): string {
  const t = words.value.answer;
  const { vote, reason, plan } = answer;
  const first = vote?.votes[0];
  switch (verdictOf(answer)) {
    case 'agreed':
      return first ? (first.count === plan.samples ? t.all(first.count) : t.some(first.count, plan.samples)) : '';
    case 'split':
      return vote ? t.needed(vote.needed.votes, vote.needed.of) : '';
    case 'abstained':
      return reason ? t.reasons[reason] : '';
    case 'stopped':
      return first ? t.leading(first.count, inFull(first.answer, question, words.value)) : t.nothingYet;
    default:
      return answer.reason === 'out_of_scope' ? t.reasons.out_of_scope : '';
  }
}
