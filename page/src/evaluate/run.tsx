import type { RunState } from '../../../src/server/meditron/protocol.js';
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
      {error && <Failed problem={error} />}
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
