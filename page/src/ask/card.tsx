import type { Answer, Question } from '../../../src/server/meditron/protocol.js';
import type { Machine } from '../machine.js';
import { Disclosure, focusOnce } from '../parts/parts.js';
import { words } from '../words/words.js';
import { accuracyInWords } from './accuracy.js';
import { AllChains, Counts, Lists, Notes, Voices } from './card-parts.js';
import { headline, underHeadline } from './headline.js';
import { HowAsked } from './howasked.js';
import type { Run } from './run.js';
import { saveAsPage, saveRecord } from './save.js';
import { Sheet } from './sheet.js';
import type { AskStore } from './store.js';
import { verdictOf } from './verdict.js';

interface Props {
  readonly run: Run;
  readonly answer: Answer;
  readonly store: AskStore;
  readonly machine: Machine;
  readonly isFirst: boolean;
}

/** An answer: what the chains come to, what speaks for it and against it, and what it is worth. */
export function Card({ run, answer, store, machine, isFirst }: Props) {
  const t = words.value.answer;
  const { question } = answer.evidence;
  const model = machine.model(run.progress.value.model);
  const accuracy = accuracyInWords(model);
  const verdict = verdictOf(answer);
  return (
    <>
      <article class={`card ${verdict}`}>
        <p class="accuracy">{accuracy}</p>
        {model?.demonstration && <p class="badge">{words.value.shell.demonstration}</p>}
        {/* Of several models the focus goes to what they come to together. */}
        <h2 tabindex={-1} ref={store.runs.value.length === 1 ? focusOnce(run) : null}>
          {headline(answer, question)}
        </h2>
        <Under answer={answer} question={question} />
        <Counts answer={answer} question={question} />
        <p class="caution">{answer.vote ? words.value.caution : t.one}</p>
        {verdict === 'list' ? (
          <Lists answer={answer} />
        ) : (
          <Voices answer={answer} question={question} verdict={verdict} />
        )}
        <Notes warnings={answer.warnings} findings={answer.findings} />
        <Disclosure title={t.allChains}>
          <AllChains
            chains={answer.samples}
            cut={answer.cut}
            stoppedBy={answer.vote?.stoppedBy ?? 'none'}
            question={question}
          />
        </Disclosure>
        <Disclosure title={t.howAsked}>
          <HowAsked answer={answer} />
        </Disclosure>
        <p class="notice">{words.value.notice}</p>
        <div class="actions">
          <button type="button" onClick={() => saveRecord(answer.evidence)}>
            {t.save}
          </button>
          <button type="button" onClick={() => saveAsPage(answer, accuracy)}>
            {t.saveHtml}
          </button>
          <button type="button" onClick={() => print()}>
            {t.print}
          </button>
          {isFirst && (
            <button type="button" onClick={() => void store.askAgain()}>
              {t.otherSeed}
            </button>
          )}
        </div>
      </article>
      <div class="print-only">
        <Sheet answer={answer} accuracy={accuracy} />
      </div>
    </>
  );
}

function Under({ answer, question }: { readonly answer: Answer; readonly question: Question }) {
  return <p class="under">{underHeadline(answer, question)}</p>;
}
