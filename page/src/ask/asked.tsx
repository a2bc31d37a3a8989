import { Disclosure } from '../parts/parts.js';
import { words } from '../words/words.js';
import { Choices } from './choices.js';
import { contextOf, textOf } from './question.js';
import type { Run } from './run.js';
import type { AskStore } from './store.js';

/** The question while it is asked and beside its answer. */
export function Asked({ runs, store }: { readonly runs: readonly Run[]; readonly store: AskStore }) {
  const { answer, ask, thinking } = words.value;
  const [first] = runs;
  const question = first?.progress.value.question ?? first?.request?.question;
  if (!question) return null;
  return (
    <section class="asked" aria-label={answer.question}>
      {contextOf(question).map((text, i) => (
        <p key={i} dir="auto">
          {text}
        </p>
      ))}
      <LongText text={textOf(question)} />
      {question.kind === 'choice' && <Choices question={question} />}
      {first?.resumed && <p class="hint">{thinking.again}</p>}
      {!store.isRunning.value && (
        <p class="no-print">
          <button type="button" class="small" onClick={() => store.change()}>
            {ask.again}
          </button>
        </p>
      )}
    </section>
  );
}

/** Much of a long case is beside the point while one waits: the rest is one click away. */
function LongText({ text }: { readonly text: string }) {
  const cut = 600;
  if (text.length <= cut)
    return (
      <p class="text" dir="auto">
        {text}
      </p>
    );
  const end = text.lastIndexOf(' ', cut);
  return (
    <Disclosure
      class="long"
      title={
        <>
          <span class="text" dir="auto">
            {text.slice(0, end > 0 ? end : cut)} …
          </span>{' '}
          <span class="link">{words.value.answer.wholeText}</span>
        </>
      }
    >
      <p class="text" dir="auto">
        {text}
      </p>
    </Disclosure>
  );
}
