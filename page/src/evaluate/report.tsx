import type { ReportData, ReportRows, RunState } from '../../../src/server/meditron/protocol.js';
import { ModelText } from '../ask/card-parts.js';
import { letter } from '../ask/question.js';
import { Dots } from '../parts/dots.js';
import { Disclosure, English, Facts, Failed } from '../parts/parts.js';
import { words, writing } from '../words/words.js';
import { nameOf, OneRun } from './run.js';
import type { EvaluateStore, Only } from './store.js';

interface Props {
  readonly run: RunState;
  readonly store: EvaluateStore;
}

/** What a run found, with every question, chain and verdict one click away. */
export function Report({ run, store }: Props) {
  const report = store.report.value;
  return (
    <>
      <OneRun run={run} store={store} isOpen />
      {report && (
        <>
          {report.runs.map(found => (
            <Found key={found.name} found={found} />
          ))}
          <Compared store={store} run={run} />
          {report.comparisons.map(comparison => (
            <Comparing key={`${comparison.first} ${comparison.second}`} comparison={comparison} />
          ))}
          {[...report.notes, ...report.incidents].map(note => (
            <p key={note} class="hint">
              <English>{note}</English>
            </p>
          ))}
          <Questions store={store} report={report} />
        </>
      )}
    </>
  );
}

function Found({ found: { name, metrics, facts, references } }: { readonly found: ReportData['runs'][number] }) {
  const { evaluate: t, answer } = words.value;
  const { number } = writing.value;
  const { accuracy, decisions } = metrics;
  return (
    <section class="panel">
      <h2>
        <English>{name}</English>
      </h2>
      {accuracy && accuracy.n > 0 ? (
        <>
          <p class="figure">{t.right(accuracy.correct, accuracy.n)}</p>
          <Interval low={accuracy.wilson.low} high={accuracy.wilson.high} at={accuracy.correct / accuracy.n} />
          <p class="hint">
            {t.interval(Math.round(accuracy.wilson.low * 100), Math.round(accuracy.wilson.high * 100))}
          </p>
        </>
      ) : (
        <p>{t.noneKnown}</p>
      )}
      <Facts
        rows={[
          ...(['agree', 'split', 'abstain'] as const).map(kind =>
            decisions[kind] ? ([t.decisions[kind], number(decisions[kind])] as const) : null,
          ),
          metrics.unparsed.count > 0
            ? [t.unparsed, `${number(metrics.unparsed.count)} / ${number(metrics.unparsed.of)}`]
            : null,
          metrics.failed.count > 0 ? [t.notAsked, number(metrics.failed.count)] : null,
        ]}
      />
      {metrics.bySubject.length > 1 && (
        <Disclosure title={t.subjects}>
          <Facts
            rows={metrics.bySubject.map(
              ({ subject, accuracy: { correct, n } }) => [subject, t.right(correct, n)] as const,
            )}
          />
        </Disclosure>
      )}
      {references.length > 0 && (
        <Disclosure title={t.published}>
          <ul lang="en" dir="ltr">
            {references.map(({ model, accuracy: percent, n, scorer, source }) => (
              <li key={`${model} ${source} ${percent}`}>
                {model}: {Math.round((percent * n) / 100)} of {n} ({scorer}; {source})
              </li>
            ))}
          </ul>
        </Disclosure>
      )}
      <Disclosure title={answer.howAsked}>
        <Facts rows={facts.map(({ name, value }) => [name, <English>{value}</English>] as const)} />
      </Disclosure>
    </section>
  );
}

/** An interval on a line from none to all; the sentence below says the same. */
function Interval({ low, high, at }: { readonly low: number; readonly high: number; readonly at: number }) {
  return (
    <svg class="interval" viewBox="0 0 1000 40" preserveAspectRatio="none" aria-hidden="true">
      <path class="axis" d="M0 20H1000" />
      <path class="range" d={`M${low * 1000} 20H${high * 1000}`} />
      <path class="at" d={`M${at * 1000} 4V36`} />
    </svg>
  );
}

function Compared({ store, run }: { readonly store: EvaluateStore; readonly run: RunState }) {
  const { evaluate: t } = words.value;
  // Before its first row there is nothing to compare.
  const others = store.runs.value.filter(({ id, progress }) => id !== run.id && progress && progress.done > 0);
  const compared = store.compared.value;
  const other = others.find(({ id }) => id === compared?.with);
  if (others.length === 0) return null;
  return (
    <section class="panel">
      <label for="compare">{t.compare}</label>{' '}
      <select
        id="compare"
        value={compared?.with ?? ''}
        onChange={event => void store.compare(event.currentTarget.value || null)}
      >
        <option value="">{t.compareNone}</option>
        {others.map(other => (
          <option key={other.id} value={other.id}>
            {nameOf(other)}
          </option>
        ))}
      </select>
      <div role="status">
        {other && compared?.comparisons && (
          <>
            <ol class="two">
              {[run, other].map(each => (
                <li key={each.id}>{nameOf(each)}</li>
              ))}
            </ol>
            {compared.comparisons.map(comparison => (
              <Comparing key={`${comparison.first} ${comparison.second}`} comparison={comparison} />
            ))}
          </>
        )}
      </div>
      {compared?.problem && (
        <Failed problem={compared.problem} {...(compared.problem.code === 'ERR_INPUT' && { what: t.notComparable })} />
      )}
    </section>
  );
}

function Comparing({ comparison }: { readonly comparison: ReportData['comparisons'][number] }) {
  const { evaluate: t } = words.value;
  const { first, second, n, onlyFirst, onlySecond, p } = comparison;
  return (
    <p>
      <b lang="en">
        {first} / {second}
      </b>
      {writing.value.colon}
      {onlyFirst + onlySecond === 0 ? t.alike(n) : `${t.paired(onlyFirst, onlySecond, n)} ${t.chance(p)}`}
    </p>
  );
}

const filters: readonly Only[] = ['all', 'wrong', 'right', 'none'];

function Questions({ store, report }: { readonly store: EvaluateStore; readonly report: ReportData }) {
  const { evaluate: t } = words.value;
  const rows = store.rows.value;
  const left = rows ? rows.total - rows.rows.length : 0;
  return (
    <section>
      <h2>{t.questions}</h2>
      <fieldset class="filters">
        <legend class="unseen">{t.filter}</legend>
        {filters.map(only => (
          <label key={only} class="check">
            <input
              type="radio"
              name="only"
              checked={store.only.value === only}
              onChange={() => void store.filter(only)}
            />
            {t.filters[only]}
          </label>
        ))}
      </fieldset>
      {rows?.rows.map(row => (
        <Row
          key={`${row.run} ${row.id}`}
          row={row}
          name={report.runs.length > 1 ? report.runs[row.run]?.name : undefined}
        />
      ))}
      {rows && rows.rows.length === 0 && <p class="hint">{t.noRows}</p>}
      {left > 0 && (
        <button type="button" onClick={() => void store.more()}>
          {t.more(Math.min(left, 20))}
        </button>
      )}
    </section>
  );
}

type RowData = ReportRows['rows'][number];

function Row({ row, name }: { readonly row: RowData; readonly name: string | undefined }) {
  const { evaluate: t, answer: a, thinking } = words.value;
  const { question, options = [], gold, answer, votes, samples, error } = row;
  const verdict = answer === undefined ? 'none' : row.correct === undefined ? null : row.correct ? 'right' : 'wrong';
  const place = (label: string) => options.findIndex((_, i) => letter(i) === label);
  return (
    <Disclosure
      class="disclosure row-of"
      title={
        <>
          {verdict && <b class={`verdict ${verdict}`}>{t.verdicts[verdict]}</b>}{' '}
          <English>{question.length > 160 ? `${question.slice(0, 160)} …` : question}</English>
        </>
      }
    >
      {name && (
        <p class="hint">
          <English>{name}</English>
        </p>
      )}
      <p class="text" lang="en" dir="auto">
        {question}
      </p>
      <ol class="options">
        {options.map((text, i) => (
          <li key={letter(i)}>
            <b class="letter">{letter(i)}</b>
            <span class="text" lang="en" dir="auto">
              {text}
            </span>
          </li>
        ))}
      </ol>
      <p>
        {[...(answer !== undefined ? [t.given(answer)] : []), ...(gold !== undefined ? [t.expected(gold)] : [])].join(
          writing.value.comma,
        )}
      </p>
      {error && (
        <p class="why-not">
          <English>{error}</English>
        </p>
      )}
      <ul class="counts">
        {votes.map(({ answer, count }) => (
          <li key={answer}>
            <Dots place={place(answer)} count={count} />
            {a.says(count, answer)}
          </li>
        ))}
      </ul>
      <ol class="all-chains">
        {samples.map(({ text, answer }, i) => (
          <li key={i}>
            <h3>
              {thinking.chain(i + 1)}
              {writing.value.colon}
              {answer ?? thinking.noAnswer}
            </h3>
            <ModelText text={text} />
          </li>
        ))}
      </ol>
    </Disclosure>
  );
}
