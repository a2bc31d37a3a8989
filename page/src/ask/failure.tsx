import type { Problem } from '../api/api.js';
import type { Machine } from '../machine.js';
import { English, Failed, focusOnce } from '../parts/parts.js';
import { words } from '../words/words.js';
import type { Run } from './run.js';
import type { AskStore } from './store.js';

interface Props {
  readonly run: Run;
  readonly problem: Problem;
  readonly store: AskStore;
  readonly machine: Machine;
}

const died = ['ERR_ENGINE_DIED', 'ERR_ENGINE_DOWN', 'ERR_QUARANTINED'];

/** What happened, what is kept (the question, and what chains had written), what to do. */
export function Failure({ run, problem, store, machine }: Props) {
  const { failed, thinking } = words.value;
  const chains = run.progress.value.chains.filter(({ text }) => text !== '');
  const model = machine.model(run.progress.value.model);
  return (
    <section class="card fault">
      <h2 tabindex={-1} ref={focusOnce(run)}>
        {failed.title}
      </h2>
      <Failed problem={problem}>
        <p>
          {failed.kept} {died[0] === problem.code && (model?.state === 'loaded' ? failed.ready : failed.restarting)}
        </p>
      </Failed>
      {chains.length > 0 && (
        <details class="disclosure">
          <summary>{words.value.answer.allChains}</summary>
          <p class="hint">{words.value.unverified}</p>
          <ol class="all-chains">
            {run.progress.value.chains.map(
              ({ text, answer }, i) =>
                text !== '' && (
                  <li key={i}>
                    <h3>
                      {thinking.chain(i + 1)}: {answer ?? thinking.stoppedHere}
                    </h3>
                    <p class="model-text unverified">
                      <English>{text}</English>
                    </p>
                  </li>
                ),
            )}
          </ol>
        </details>
      )}
      <div class="actions">
        <button type="button" class="primary" onClick={() => void store.askAgain(0)}>
          {failed.again}
        </button>
      </div>
    </section>
  );
}
