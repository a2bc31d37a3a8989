import type { PanelTold, Question } from '../../../src/server/meditron/protocol.js';
import { saveJson } from '../download.js';
import type { Machine } from '../machine.js';
import { Dots } from '../parts/dots.js';
import { English, Failed, focusOnce } from '../parts/parts.js';
import { words, writing } from '../words/words.js';
import { ModelText, Ranking } from './card-parts.js';
import { choicesOf, inFull } from './question.js';
import type { Run } from './run.js';
import { stamp } from './save.js';
import type { AskStore } from './store.js';

/**
 * What several models say: how often each was right before, its answer and how far it agrees with itself, what the families say, the reasons on every side, and
 * last whether to rely on it.
 */
export function Opinions({ store, machine }: { readonly store: AskStore; readonly machine: Machine }) {
  const { opinions: t } = words.value;
  const told = store.panel.value;
  const problem = store.panelProblem.value;
  const runs = store.runs.value;
  const question = runs[0]?.progress.value.question;
  return (
    <section class="opinions">
      <h2 tabindex={-1} ref={told ? focusOnce(told) : null}>
        {t.title}
      </h2>
      <section class="wide" tabindex={0} aria-label={t.title}>
        <table>
          <thead>
            <tr>
              {[t.model, t.accuracy, t.family, t.answer, t.votes].map(head => (
                <th key={head} scope="col">
                  {head}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {runs.map(run => (
              <Row key={run.id} run={run} machine={machine} />
            ))}
          </tbody>
        </table>
      </section>
      {told && question && <Together told={told} question={question} />}
      {problem && <Failed problem={problem} />}
    </section>
  );
}

function Row({ run, machine }: { readonly run: Run; readonly machine: Machine }) {
  const { opinions: t, answer: a } = words.value;
  const { number } = writing.value;
  const name = run.progress.value.model ?? run.request?.model ?? '';
  const model = machine.model(name);
  const [measured] = model?.measured ?? [];
  const answer = run.answer.value;
  const first = answer?.vote?.votes[0];
  return (
    <tr>
      <th scope="row">
        <bdi>{name}</bdi>
      </th>
      <td>
        {measured ? (
          <>
            {number(measured.accuracy.correct)} / {number(measured.accuracy.n)}{' '}
            <span class="hint">
              <English>{measured.title}</English>
            </span>
          </>
        ) : (
          t.notMeasured
        )}
      </td>
      <td>
        <English>{model?.family?.name ?? '–'}</English>
      </td>
      <td>
        <bdi>{saidBy(run)}</bdi>
      </td>
      <td>
        {answer && first && (
          <>
            <Dots
              place={choicesOf(answer.evidence.question, words.value).findIndex(({ label }) => label === first.answer)}
              count={first.count}
            />{' '}
            {a.some(first.count, answer.plan.samples)}
          </>
        )}
      </td>
    </tr>
  );
}

function saidBy(run: Run): string {
  const { opinions: t, answer: a } = words.value;
  const answer = run.answer.value;
  if (run.isSkipped.value) return t.notAsked;
  if (run.problem.value) return t.failed;
  if (!answer) return run.hasBegun.value ? t.asking : t.waiting;
  if (answer.decision === null) return a.free;
  return answer.decision === 'agree' && answer.answer !== null
    ? inFull(answer.answer, answer.evidence.question, words.value)
    : t.none;
}

interface TogetherProps {
  readonly told: PanelTold;
  readonly question: Question;
}

/** What the models come to: families, reasons, and the decision with its rule. */
function Together({ told, question }: TogetherProps) {
  const { opinions: t, answer: a } = words.value;
  const { families, members, ranking, decision, evidence } = told;
  return (
    <>
      {decision !== null && (
        <>
          <h3>{t.families}</h3>
          <ul>
            {families.map(({ family, answer, standing, members: places }) => (
              <li key={family}>
                <English>{family}</English>
                {writing.value.colon}
                <bdi>
                  {standing === 'decided' ? inFull(answer ?? '', question, words.value) : t.standings[standing]}
                </bdi>
                {places.length > 1 && ` (${t.once(places.map(i => members[i]!.name))})`}
              </li>
            ))}
          </ul>
        </>
      )}
      {ranking && <Ranking ranking={ranking} />}
      <Positions told={told} question={question} />
      <div class="result">
        <Verdict told={told} question={question} />
      </div>
      <div class="actions no-print">
        <button type="button" onClick={() => saveJson(`meditron-panel-${stamp(evidence)}.json`, evidence)}>
          {a.save}
        </button>
      </div>
    </>
  );
}

/** Every answer with a reason for it, that of the most families first. */
function Positions({ told, question }: TogetherProps) {
  const { opinions: t } = words.value;
  const { support, dissent } = told;
  const positions = [...(support ? [support] : []), ...dissent];
  if (positions.length === 0) return null;
  return (
    <div class={`voices ${positions.length > 1 ? 'several' : ''}`}>
      {positions.map(position => {
        const { answer, families, members, standing, rationale } = position;
        const full = inFull(answer, question, words.value);
        const who = {
          decided: t.byFamilies(families),
          undecided: t.byModels(members),
          minority: t.byMinority(members),
        };
        return (
          <section key={answer} class="voice">
            <h3>{support && position !== support ? t.against(full) : t.forAnswer(full)}</h3>
            <p class="hint">{who[standing]}</p>
            {rationale && (
              <>
                <p class="hint">{t.from(rationale.member, rationale.sample + 1)}</p>
                <ModelText text={rationale.text} />
              </>
            )}
          </section>
        );
      })}
    </div>
  );
}

function Verdict({ told, question }: TogetherProps) {
  const { opinions: t, answer: a } = words.value;
  const { decision, reason, answer, agreeing, heard, needed } = told;
  if (decision === null) return <p>{t.texts}</p>;
  const said = {
    agree: inFull(answer ?? '', question, words.value),
    split: t.split,
    abstain: a.abstained,
  }[decision];
  return (
    <>
      <p class="headline">
        <bdi>{said}</bdi>
      </p>
      <p>
        {reason === null
          ? t.agree(agreeing, heard)
          : reason === 'too_few_families'
            ? t.tooFew(needed)
            : t.reasons[reason]}
      </p>
      <p class="caution">{t.rule}</p>
    </>
  );
}
