import type { Machine } from '../machine.js';
import { Dots } from '../parts/dots.js';
import { words, writing } from '../words/words.js';
import { choicesOf, inFull, inShort } from './question.js';
import type { Run } from './run.js';

/** One row a model, then in words how far they agree: models of one family make the same mistakes. */
export function Opinions({ runs, machine }: { readonly runs: readonly Run[]; readonly machine: Machine }) {
  const { opinions: t, answer: a } = words.value;
  const { number } = writing.value;
  const rows = runs.map((run, i) => {
    const answer = run.answer.value;
    const name = run.progress.value.model ?? run.request?.model ?? '';
    const before = runs[i - 1];
    const state = run.problem.value ? t.none : before && !before.isOver ? t.waiting : t.asking;
    return { run, answer, name, model: machine.model(name), state };
  });
  const given = rows.flatMap(({ answer, name }) =>
    answer?.decision === 'agree' && answer.answer !== null
      ? [{ name, said: inShort(answer.answer, answer.evidence.question, words.value) }]
      : answer
        ? [{ name, said: t.none }]
        : [],
  );
  const isComplete = given.length === runs.length;
  const doAgree = isComplete && given.every(({ said }) => said === given[0]?.said) && given[0]?.said !== t.none;
  return (
    <section class="opinions">
      <h2>{t.title}</h2>
      <section class="wide" tabindex={0} aria-label={t.title}>
        <table>
          <thead>
            <tr>
              {[t.model, t.family, t.accuracy, t.answer, t.votes].map(head => (
                <th key={head} scope="col">
                  {head}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map(({ run, answer, name, model, state }) => {
              const measured = model?.measured[0]?.accuracy;
              const first = answer?.vote?.votes[0];
              const { question } = run.progress.value;
              return (
                <tr key={run.id}>
                  <th scope="row">{name}</th>
                  <td>{model?.architecture ?? '–'}</td>
                  <td>{measured ? `${number(measured.correct)} / ${number(measured.n)}` : t.notMeasured}</td>
                  <td>
                    {answer
                      ? answer.decision === 'agree' && answer.answer !== null
                        ? inFull(answer.answer, answer.evidence.question, words.value)
                        : t.none
                      : state}
                  </td>
                  <td>
                    {first && question && answer && (
                      <>
                        <Dots
                          place={choicesOf(question, words.value).findIndex(({ label }) => label === first.answer)}
                          count={first.count}
                        />{' '}
                        {a.some(first.count, answer.plan.samples)}
                      </>
                    )}
                  </td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </section>
      {isComplete && <p>{doAgree ? t.agree : t.differ(given.map(({ name, said }) => t.one(name, said)))}</p>}
    </section>
  );
}
