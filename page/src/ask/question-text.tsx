import type { Question } from '../../../src/server/meditron/protocol.js';
import { contextOf, textOf } from './question.js';

/** A question as it was asked: what it is about, then its text. */
export function QuestionText({ question }: { readonly question: Question }) {
  return (
    <>
      {[...contextOf(question), textOf(question)].map((text, i) => (
        <p key={i} class="text" dir="auto">
          {text}
        </p>
      ))}
    </>
  );
}
