import { Dots } from '../parts/dots.js';
import { words } from '../words/words.js';
import { type Chain, counted, type Progress } from './progress.js';
import { choicesOf, inShort } from './question.js';

/** The votes of chains that have ended, as dots and counts, the most first. */
export function Tally({
  question,
  chains,
}: Pick<Progress, 'question'> & { readonly chains: readonly Pick<Chain, 'answer'>[] }) {
  // Of lists there is nothing to count yet.
  if (!question || choicesOf(question, words.value).length === 0) return null;
  const choices = choicesOf(question, words.value);
  return (
    <>
      {counted(chains).map(({ answer, count }) => (
        <span key={answer} class="count">
          <b>{inShort(answer, question, words.value)}</b>
          <Dots place={choices.findIndex(({ label }) => label === answer)} count={count} />
          <span class="unseen">{count}</span>
        </span>
      ))}
    </>
  );
}
