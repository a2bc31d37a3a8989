import type { Evidence, PanelRecord, Question } from '../../../src/server/meditron/protocol.js';
import { type Opinion, OpinionTable, said, Together, votesFor } from '../ask/opinions.js';
import { choicesOf } from '../ask/question.js';
import { English } from '../parts/parts.js';
import { words, writing } from '../words/words.js';
import { ChainsAndFacts, Result } from './recorded.js';

interface Props {
  readonly panel: PanelRecord;
  readonly isPaper?: boolean;
}

/** What several models came to, as the page shows it of an answer, and the record of each below. */
export function PanelResult({ panel, isPaper = false }: Props) {
  const { opinions: t } = words.value;
  return (
    <>
      <section class="opinions">
        <h2>{t.title}</h2>
        <OpinionTable opinions={panel.members.map(opinionOf)} />
        <Together told={{ ...panel.result, members: panel.members }} question={questionOf(panel)} />
      </section>
      {panel.members.map(({ name, evidence, error }) => (
        <section key={name} class="member">
          <h2>
            <English>{name}</English>
          </h2>
          {evidence ? (
            <>
              <Result evidence={evidence} />
              <ChainsAndFacts evidence={evidence} isPaper={isPaper} />
            </>
          ) : (
            <p>
              {error ? t.failed : t.notAsked}
              {error && (
                <>
                  {writing.value.colon}
                  <English>{error.message}</English>
                </>
              )}
            </p>
          )}
        </section>
      ))}
    </>
  );
}

/** All were asked the same question; null: none was asked. */
export function questionOf({ members }: PanelRecord): Question | null {
  return members.find(({ evidence }) => evidence)?.evidence?.question ?? null;
}

function opinionOf({ name, family, measured, evidence, error }: PanelRecord['members'][number]): Opinion {
  const { opinions: t } = words.value;
  return {
    ...{ name, measured, family: family?.name ?? null },
    said: evidence ? said(evidence.result, evidence.question) : error ? t.failed : t.notAsked,
    votes: evidence && votesOf(evidence),
  };
}

/** The answer that most chains give; lists are not counted. */
function votesOf(evidence: Evidence): Opinion['votes'] {
  const { votes } = evidence.result;
  const counts = choicesOf(evidence.question, words.value).map(({ label }) => [label, votes[label] ?? 0] as const);
  const [first] = counts.sort(([, a], [, b]) => b - a);
  return first && first[1] > 0 ? votesFor(...first, evidence) : null;
}
