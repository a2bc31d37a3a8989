import type { Problem } from '../api/api.js';
import type { Machine } from '../machine.js';
import { Failed, focusOnce } from '../parts/parts.js';
import { words } from '../words/words.js';
import { PartOfVote, partOf } from './part.js';
import type { Run } from './run.js';
import { savePart, saveRecord } from './save.js';
import type { AskStore } from './store.js';

interface Props {
  readonly run: Run;
  readonly problem: Problem;
  readonly store: AskStore;
  readonly machine: Machine;
}

/** What happened, what is kept (the question, and what chains had written, as a record too), what to do. */
export function Failure({ run, problem, store, machine }: Props) {
  const { answer, failed } = words.value;
  const progress = run.progress.value;
  const { record } = progress;
  const part = partOf(progress, run.request, problem, machine);
  const isSaved = part?.samples.some(({ finished }) => finished);
  const model = machine.model(progress.model);
  return (
    <section class="card fault">
      <h2 tabindex={-1} ref={focusOnce(run)}>
        {failed.title}
      </h2>
      <Failed problem={problem}>
        <p>
          {failed.kept}{' '}
          {problem.code === 'ERR_ENGINE_DIED' && (model?.state === 'loaded' ? failed.ready : failed.restarting)}
        </p>
      </Failed>
      {part && <PartOfVote part={part} />}
      {isSaved && <p class="hint">{record ? failed.replays : failed.readOnly}</p>}
      <div class="actions">
        <button type="button" class="primary" onClick={() => void store.askAgain(0)}>
          {failed.again}
        </button>
        {part && isSaved && (
          <button type="button" onClick={() => (record ? saveRecord(record) : savePart(part))}>
            {answer.save}
          </button>
        )}
      </div>
    </section>
  );
}
