import type { Problem } from '../api/api.js';
import type { Machine } from '../machine.js';
import { Disclosure, English, Failed, focusOnce } from '../parts/parts.js';
import { words } from '../words/words.js';
import { ended } from './progress.js';
import type { Run } from './run.js';
import type { AskStore } from './store.js';
import { Tally } from './tally.js';

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
  const progress = run.progress.value;
  const chains = progress.chains.filter(({ text }) => text !== '');
  const heard = ended(progress);
  const model = machine.model(progress.model);
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
      {heard > 0 && (
        <div class="partial">
          <p>{failed.partial}</p>
          <div class="tally">
            <Tally progress={progress} />
            <span>{thinking.answered(heard, progress.chains.length)}</span>
          </div>
        </div>
      )}
      {chains.length > 0 && (
        <Disclosure title={words.value.answer.allChains}>
          <p class="hint">{words.value.unverified}</p>
          <ol class="all-chains">
            {progress.chains.map(
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
        </Disclosure>
      )}
      <div class="actions">
        <button type="button" class="primary" onClick={() => void store.askAgain(0)}>
          {failed.again}
        </button>
      </div>
    </section>
  );
}
