import type { RunState } from '../../../src/server/meditron/protocol.js';
import type { Problem } from '../api/api.js';
import { English, Failed } from '../parts/parts.js';
import { words, writing } from '../words/words.js';
import type { EvaluateStore } from './store.js';

interface Props {
  readonly run: RunState;
  readonly store: EvaluateStore;
  /** Its report stands below. */
  readonly isOpen?: boolean;
}

/** A run: what it asks, how far it is, how often it was right. */
export function OneRun({ run, store, isOpen = false }: Props) {
  const { evaluate: t, shell } = words.value;
  const { colon, comma } = writing.value;
  const { progress, state, error } = run;
  const isRunning = state === 'running' || state === 'stopping';
  const Heading = isOpen ? 'h2' : 'h3';
  return (
    <article class="panel">
      <Heading>
        <English>{run.title}</English> <span class="tag">{t.states[state]}</span>
      </Heading>
      <p class="hint">{nameOf(run)}</p>
      {progress && (
        <>
          <p>
            <English>{progress.run}</English>
            {colon}
            {t.progress(progress.done, progress.total)}
            {progress.right.of > 0 && `${comma}${t.right(progress.right.count, progress.right.of)}`}
            {isRunning && progress.secondsLeft !== null && `${comma}${t.left(progress.secondsLeft * 1000)}`}
          </p>
          <progress max={progress.total} value={progress.done} aria-label={t.progress(progress.done, progress.total)} />
        </>
      )}
      {error && <RunFailed problem={error} />}
      {!run.kept && <p class="hint">{shell.temporary}</p>}
      <div class="actions">
        {!isOpen && (
          <a class="button" href={`#/evaluate/${run.id}`}>
            {t.report}
          </a>
        )}
        {isRunning && (
          <button type="button" onClick={() => void store.stop(run.id)}>
            {t.stop}
          </button>
        )}
      </div>
    </article>
  );
}

/** What tells a run from others: its questions, its model, when it was begun. */
export function nameOf({ file, title, model, created }: RunState): string {
  const { comma, isolated, time } = writing.value;
  return [isolated(file ?? title), isolated(model), time(created)].join(comma);
}

/** What went wrong with an evaluation; an input is its questions. */
export function RunFailed({ problem }: { readonly problem: Problem }) {
  return <Failed problem={problem} {...(problem.code === 'ERR_INPUT' && { what: words.value.evaluate.unusable })} />;
}
