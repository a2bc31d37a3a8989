import type { Answer, Evidence, PanelTold, Question } from '../../../src/server/meditron/protocol.js';
import type { Machine } from '../machine.js';
import { Dots } from '../parts/dots.js';
import { English, Failed, focusOnce } from '../parts/parts.js';
import { words, writing } from '../words/words.js';
import { ModelText, Ranking } from './card-parts.js';
import { choicesOf, inFull, inShort } from './question.js';
import type { Run } from './run.js';
import { savePanel } from './save.js';
import type { AskStore } from './store.js';

/**
 * What several models say: how often each was right before, its answer and how far it agrees with itself, what the families say, the reasons on every side, and
 * last whether to rely on it.
 */
export function Opinions({ store, machine }: { readonly store: AskStore; readonly machine: Machine }) {
  const { opinions: t, answer: a } = words.value;
  const told = store.panel.value;
  const problem = store.panelProblem.value;
  const runs = store.runs.value;
  const question = runs[0]?.progress.value.question ?? null;
  return (
    <section class="opinions">
      <h2 tabindex={-1} ref={told ? focusOnce(told) : null}>
        {t.title}
      </h2>
      <OpinionTable opinions={runs.map(run => opinionOf(run, machine))} />
      {told && (
        <>
          <Together told={told} question={question} />
          <div class="actions no-print">
            <button type="button" onClick={() => savePanel(told.evidence)}>
              {a.save}
            </button>
          </div>
        </>
      )}
      {problem && <Failed problem={problem} />}
    </section>
  );
}

/** What a model says, in a row. */
export interface Opinion {
  readonly name: string;
  /** How often it was right, as it was measured. */
  readonly measured: { readonly correct: number; readonly n: number; readonly title: string } | null;
  readonly family: string | null;
  readonly said: string;
  /** The answer that most of its chains give: its place among the choices, how many give it, and that in words. */
  readonly votes: { readonly place: number; readonly count: number; readonly inWords: string } | null;
}

export function OpinionTable({ opinions }: { readonly opinions: readonly Opinion[] }) {
  const { opinions: t } = words.value;
  return (
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
          {opinions.map(opinion => (
            <Row key={opinion.name} {...opinion} />
          ))}
        </tbody>
      </table>
    </section>
  );
}

function Row({ name, measured, family, said, votes }: Opinion) {
  const { opinions: t } = words.value;
  const { number } = writing.value;
  return (
    <tr>
      <th scope="row">
        <bdi>{name}</bdi>
      </th>
      <td>
        {measured ? (
          <>
            {number(measured.correct)} / {number(measured.n)}{' '}
            <span class="hint">
              <English>{measured.title}</English>
            </span>
          </>
        ) : (
          t.notMeasured
        )}
      </td>
      <td>
        <English>{family ?? '–'}</English>
      </td>
      <td>
        <bdi>{said}</bdi>
      </td>
      <td>
        {votes && (
          <>
            <Dots place={votes.place} count={votes.count} /> {votes.inWords}
          </>
        )}
      </td>
    </tr>
  );
}

function opinionOf(run: Run, machine: Machine): Opinion {
  const name = run.progress.value.model ?? run.request?.model ?? '';
  const model = machine.model(name);
  const [measured] = model?.measured ?? [];
  const answer = run.answer.value;
  const first = answer?.vote?.votes[0];
  return {
    name,
    measured: measured ? { ...measured.accuracy, title: measured.title } : null,
    family: model?.family?.name ?? null,
    said: saidBy(run),
    votes: answer && first ? votesFor(first.answer, first.count, answer.evidence) : null,
  };
}

/** A model that decides says so; of one that does not, its chains do. */
export function votesFor(
  answer: string,
  count: number,
  { question, plan, result }: Pick<Evidence, 'question' | 'plan' | 'result'>,
): Opinion['votes'] {
  const { answer: a } = words.value;
  const place = choicesOf(question, words.value).findIndex(({ label }) => label === answer);
  const isDecided = result.decision === 'agree';
  const inWords = isDecided ? a.some(count, plan.samples) : a.says(count, inShort(answer, question, words.value));
  return { place, count, inWords };
}

function saidBy(run: Run): string {
  const { opinions: t } = words.value;
  const answer = run.answer.value;
  if (run.isSkipped.value) return t.notAsked;
  if (run.problem.value) return t.failed;
  if (!answer) return run.hasBegun.value ? t.asking : t.waiting;
  return said(answer, answer.evidence.question);
}

/** What a model came to, in a row. */
export function said({ answer, decision }: Pick<Answer, 'answer' | 'decision'>, question: Question): string {
  if (decision === null) return words.value.answer.free;
  return decision === 'agree' && answer !== null ? inFull(answer, question, words.value) : words.value.opinions.none;
}

interface TogetherProps {
  readonly told: Omit<PanelTold, 'evidence'>;
  /** Null: nothing is known of it, since no model was asked. */
  readonly question: Question | null;
}

/** What the models come to: families, reasons, and the decision with its rule. */
export function Together({ told, question }: TogetherProps) {
  const { opinions: t } = words.value;
  const { families, members, ranking, decision } = told;
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
                <bdi>{standing === 'decided' ? whole(answer, question) : t.standings[standing]}</bdi>
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
    </>
  );
}

function whole(answer: string | null, question: Question | null): string {
  return question ? inFull(answer ?? '', question, words.value) : (answer ?? '');
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
        const full = whole(answer, question);
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
    agree: whole(answer, question),
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
