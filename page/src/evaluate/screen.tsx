import { NumberField } from '../ask/options.js';
import type { Machine } from '../machine.js';
import { FolderList, PathField } from '../parts/files.js';
import { English, Field } from '../parts/parts.js';
import { route } from '../router.js';
import { words, writing } from '../words/words.js';
import { Report } from './report.js';
import { OneRun, RunFailed } from './run.js';
import { type EvaluateStore, evaluatedModes } from './store.js';

interface Props {
  readonly store: EvaluateStore;
  readonly machine: Machine;
}

/** Runs over questions whose answers are known, and their reports. */
export function EvaluateScreen({ store, machine }: Props) {
  const { evaluate: t, shell } = words.value;
  const problem = store.problem.value;
  const run = route.value.rest === '' ? undefined : store.run.value;
  if (!machine.mayRead.value)
    return (
      <>
        <h1>{t.title}</h1>
        <p>{t.intro}</p>
        {machine.state.value && <p class="why-not">{shell.needsKey}</p>}
      </>
    );
  return (
    <>
      <h1>{t.title}</h1>
      {problem && <RunFailed problem={problem} />}
      {run ? (
        <>
          <p>
            <a href="#/evaluate">{t.back}</a>
          </p>
          <Report run={run} store={store} />
        </>
      ) : (
        <>
          <p>{t.intro}</p>
          <Start store={store} />
          <Runs store={store} />
        </>
      )}
    </>
  );
}

function Start({ store }: { readonly store: EvaluateStore }) {
  const { evaluate: t, models } = words.value;
  const { source, file, benchmark, data, modes, limit, out } = store.form.value;
  const plan = store.plan.value;
  const chosen = store.benchmarks.value.find(({ name }) => name === benchmark);
  return (
    <form
      class="panel"
      onSubmit={event => {
        event.preventDefault();
        void (plan ? store.start() : store.estimate());
      }}
    >
      <fieldset>
        <legend>{t.file}</legend>
        <label class="check">
          <input
            type="radio"
            name="source"
            checked={source === 'file'}
            onChange={() => store.set({ source: 'file' })}
          />
          {t.ownFile}
        </label>
        <label class="check">
          <input
            type="radio"
            name="source"
            checked={source === 'benchmark'}
            onChange={() =>
              store.set({ source: 'benchmark', benchmark: benchmark || (store.benchmarks.value[0]?.name ?? '') })
            }
          />
          {t.benchmark}
        </label>
        {source === 'file' ? (
          <>
            <div class="row">
              <PathField id="run-file" label={t.path} isRequired value={file} change={file => store.set({ file })} />
              <button type="button" onClick={() => void store.folders.open()}>
                {t.browse}
              </button>
            </div>
            <FolderList
              folders={store.folders}
              kind="questions"
              label={t.use}
              pick={path => {
                store.set({ file: path });
                store.folders.close();
              }}
            />
          </>
        ) : (
          <>
            <div class="fields">
              <Field id="run-benchmark" label={t.benchmark}>
                <select
                  id="run-benchmark"
                  value={benchmark}
                  onChange={event => store.set({ benchmark: event.currentTarget.value })}
                >
                  {store.benchmarks.value.map(({ name, title }) => (
                    <option key={name} value={name}>
                      {title}
                    </option>
                  ))}
                </select>
              </Field>
              <PathField
                id="run-data"
                label={models.folder}
                isRequired
                value={data}
                change={data => store.set({ data })}
              />
            </div>
            {chosen && (
              <ul class="hint" lang="en" dir="ltr">
                {chosen.download.map(line => (
                  <li key={line}>{line}</li>
                ))}
                <li>{chosen.licence}</li>
              </ul>
            )}
          </>
        )}
      </fieldset>
      <fieldset>
        <legend>{t.modes}</legend>
        {evaluatedModes.map(mode => (
          <label key={mode} class="check">
            <input
              type="checkbox"
              checked={modes.includes(mode)}
              onChange={event =>
                store.set({
                  modes: evaluatedModes.filter(m => (m === mode ? event.currentTarget.checked : modes.includes(m))),
                })
              }
            />
            {t.modeNames[mode]}
          </label>
        ))}
      </fieldset>
      <div class="fields spaced">
        <NumberField
          id="run-limit"
          label={t.limit}
          value={limit}
          min={1}
          max={1_000_000}
          step={1}
          change={limit => store.set({ limit })}
        />
        <PathField id="run-out" label={t.keep} value={out} change={out => store.set({ out })} />
      </div>
      <div role="status">
        {plan && (
          <div class="plan">
            <p>
              <b lang="en" dir="auto">
                {plan.title}
              </b>
              {writing.value.colon}
              {t.count(plan.questions)} {plan.seconds === null ? t.noEstimate : t.estimate(plan.seconds * 1000)}{' '}
              {t.survives}
            </p>
            {plan.notes.map(note => (
              <p key={note} class="hint">
                <English>{note}</English>
              </p>
            ))}
          </div>
        )}
      </div>
      <div class="actions">
        <button type="submit" class="primary" aria-disabled={modes.length === 0}>
          {store.isStarting.value ? t.starting : plan ? t.start : t.look}
        </button>
        {modes.length === 0 && <span class="hint">{t.noMode}</span>}
      </div>
    </form>
  );
}

function Runs({ store }: { readonly store: EvaluateStore }) {
  const { evaluate: t } = words.value;
  const runs = store.runs.value;
  return (
    <section>
      <h2>{t.runs}</h2>
      {runs.length === 0 && <p class="hint">{t.noRuns}</p>}
      {store.messages.value.map(message => (
        <p key={message} class="why-not">
          <English>{message}</English>
        </p>
      ))}
      {runs.map(run => (
        <OneRun key={run.id} run={run} store={store} />
      ))}
    </section>
  );
}
