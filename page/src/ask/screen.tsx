import type { Machine } from '../machine.js';
import { words } from '../words/words.js';
import { Asked } from './asked.js';
import { Card } from './card.js';
import { Composer } from './composer.js';
import { Failure } from './failure.js';
import { Opinions } from './opinions.js';
import type { Run } from './run.js';
import type { AskStore } from './store.js';
import { Thinking } from './thinking.js';

/** A question on its way to an answer. */
export function AskScreen({ store, machine }: { readonly store: AskStore; readonly machine: Machine }) {
  const runs = store.runs.value;
  const { shell } = words.value;
  return (
    <>
      <h1 class="unseen">{shell.screens.ask}</h1>
      {runs.length === 0 ? (
        <Composer store={store} machine={machine} />
      ) : (
        <>
          <Asked runs={runs} store={store} />
          {runs.length > 1 && <Opinions store={store} machine={machine} />}
          {runs.map(run => (
            <One key={run.id} run={run} runs={runs} store={store} machine={machine} />
          ))}
        </>
      )}
    </>
  );
}

interface OneProps {
  readonly run: Run;
  readonly runs: readonly Run[];
  readonly store: AskStore;
  readonly machine: Machine;
}

function One({ run, runs, store, machine }: OneProps) {
  const name = run.progress.value.model ?? run.request?.model;
  const isFirst = runs[0] === run;
  const before = runs[runs.indexOf(run) - 1];
  // Its row among the opinions says that it waits, or is not asked.
  if ((before && !before.isOver) || run.isSkipped.value) return null;
  const heading = runs.length > 1 && name ? <p class="of-model">{name}</p> : null;
  const { answer, problem } = run;
  if (answer.value)
    return (
      <>
        {heading}
        <Card run={run} answer={answer.value} store={store} machine={machine} isFirst={isFirst} />
      </>
    );
  if (problem.value)
    return (
      <>
        {heading}
        <Failure run={run} problem={problem.value} store={store} machine={machine} />
      </>
    );
  return (
    <>
      {heading}
      <Thinking run={run} store={store} machine={machine} isFirst={isFirst} />
    </>
  );
}
