import type { Question } from '../../../src/server/meditron/protocol.js';
import { words } from '../words/words.js';
import { choicesOf } from './question.js';

/** What may be answered, with the letter or word that stands for it; nothing for an open question. */
export function Choices({ question }: { readonly question: Question }) {
  const choices = choicesOf(question, words.value);
  if (choices.length === 0) return null;
  return (
    <ol class="options">
      {choices.map(({ label, text }) => (
        <li key={label}>
          <b class="letter">{label}</b>
          <span class="text" dir="auto">
            {text}
          </span>
        </li>
      ))}
    </ol>
  );
}
