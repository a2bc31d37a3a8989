import { Choices } from '../ask/choices.js';
import { QuestionText } from '../ask/question-text.js';
import { Paper } from '../parts/paper.js';
import { words } from '../words/words.js';
import { PanelResult, questionOf } from './panel.js';
import { ChainsAndFacts, Contradicted, Result } from './recorded.js';
import type { Check } from './store.js';

/** A record on paper, which stands alone as a printed answer does. */
export function RecordSheet({ check }: { readonly check: Check }) {
  const { answer: a, caution } = words.value;
  const { created } = 'panel' in check ? check.panel : check.evidence;
  const question = 'panel' in check ? questionOf(check.panel) : check.evidence.question;
  return (
    <Paper created={created}>
      {question && (
        <section>
          <h2>{a.question}</h2>
          <QuestionText question={question} />
          <Choices question={question} />
        </section>
      )}
      <Contradicted by={check.contradiction} />
      {'panel' in check ? (
        <PanelResult panel={check.panel} isPaper />
      ) : (
        <>
          <section class="result">
            <h2>{a.from}</h2>
            <Result evidence={check.evidence} />
            <p>{check.evidence.result.decision === null ? a.one : caution}</p>
          </section>
          <ChainsAndFacts evidence={check.evidence} isPaper />
        </>
      )}
    </Paper>
  );
}
