import type { Answer } from '../../../src/server/meditron/protocol.js';
import { Paper } from '../parts/paper.js';
import { words } from '../words/words.js';
import { Counts, Lists, Notes, Voices } from './card-parts.js';
import { headline, underHeadline } from './headline.js';
import { HowAsked } from './howasked.js';
import { choicesOf } from './question.js';
import { QuestionText } from './question-text.js';
import { verdictOf } from './verdict.js';

/** An answer on paper, which stands alone: question, answer or abstention, counts, both reasons, how it was asked, what it is for. No colour needed. */
export function Sheet({ answer, accuracy }: { readonly answer: Answer; readonly accuracy: string }) {
  const { answer: t, caution } = words.value;
  const { question, created } = answer.evidence;
  const verdict = verdictOf(answer);
  const under = underHeadline(answer, question);
  return (
    <Paper created={created}>
      <section>
        <h2>{t.question}</h2>
        <QuestionText question={question} />
        {question.kind === 'choice' && (
          <ol class="options">
            {choicesOf(question, words.value).map(({ label, text }) => (
              <li key={label}>
                <b class="letter">{label}.</b> <span dir="auto">{text}</span>
              </li>
            ))}
          </ol>
        )}
      </section>
      <section class="result">
        <h2>{t.from}</h2>
        <p class="accuracy">{accuracy}</p>
        <p class="headline">{headline(answer, question)}</p>
        {under !== '' && <p>{under}</p>}
        <Counts answer={answer} question={question} />
        <p>{answer.vote ? caution : t.one}</p>
        {verdict === 'list' ? (
          <Lists answer={answer} />
        ) : (
          <Voices answer={answer} question={question} verdict={verdict} />
        )}
        <Notes warnings={answer.warnings} findings={answer.findings} />
      </section>
      <section>
        <h2>{t.howAsked}</h2>
        <HowAsked answer={answer} />
      </section>
    </Paper>
  );
}
