import type { Evidence, PartialRecord } from '../../../src/server/meditron/protocol.js';
import { AllChains } from '../ask/card-parts.js';
import { Choices } from '../ask/choices.js';
import { factsOf, Version } from '../ask/howasked.js';
import { PartOfVote } from '../ask/part.js';
import { ended } from '../ask/progress.js';
import { choicesOf, inFull, inShort } from '../ask/question.js';
import { QuestionText } from '../ask/question-text.js';
import type { Machine } from '../machine.js';
import { Disclosure, English, Facts, Failed, Field, focusOnce } from '../parts/parts.js';
import { words, writing } from '../words/words.js';
import type { RecordsStore } from './store.js';

interface Props {
  readonly store: RecordsStore;
  readonly machine: Machine;
}

/** What was asked, how, by which file, and what came: opened, run again, and kept only if it is wished. */
export function RecordsScreen({ store, machine }: Props) {
  const { records: t } = words.value;
  const problem = store.problem.value;
  return (
    <>
      <h1>{t.title}</h1>
      <p>{t.intro}</p>
      {/* biome-ignore lint/a11y/noStaticElementInteractions: dropping is a second way beside the button in it */}
      <div
        class="drop panel"
        onDragOver={event => event.preventDefault()}
        onDrop={event => {
          event.preventDefault();
          const file = event.dataTransfer?.files[0];
          if (file) void store.open(file);
        }}
      >
        {/* The browser's own button speaks the browser's language. */}
        <button type="button" onClick={() => document.getElementById('record')?.click()}>
          {t.open}
        </button>{' '}
        <span class="hint">{t.drop}</span>
        <input
          id="record"
          type="file"
          hidden
          accept=".json,application/json"
          onChange={event => {
            const [file] = event.currentTarget.files ?? [];
            if (file) void store.open(file);
            event.currentTarget.value = '';
          }}
        />
      </div>
      {problem &&
        (problem.code === 'ERR_INPUT' ? (
          <Failed problem={problem} what={store.isPanel.value ? t.panel : t.notARecord} />
        ) : (
          <Failed problem={problem} />
        ))}
      {store.part.value && <Part store={store} part={store.part.value} />}
      {store.check.value && <Opened store={store} check={store.check.value} />}
      <History store={store} machine={machine} />
    </>
  );
}

function Opened({ store, check }: { store: RecordsStore; check: NonNullable<RecordsStore['check']['value']> }) {
  const { records: t, answer: a, failed, thinking } = words.value;
  const { evidence, contradiction, model, sameFile } = check;
  const { question, result } = evidence;
  const progress = store.progress.value;
  const replay = store.replay.value;
  return (
    <article class="panel record">
      <h2 tabindex={-1} ref={focusOnce(check)}>
        {a.question}
      </h2>
      <QuestionText question={question} />
      <Choices question={question} />
      <h2>{a.from}</h2>
      <p class="headline">
        {result.decision === 'agree' && result.answer !== null
          ? inFull(result.answer, question, words.value)
          : result.decision === 'split'
            ? a.split(saidBy(evidence))
            : result.decision === null
              ? a.free
              : a.abstained}
      </p>
      {result.stoppedBy === 'failed' && (
        <p>
          {failed.partial} {thinking.answered(evidence.samples.length, evidence.plan.samples)}
        </p>
      )}
      <p lang="en" dir="ltr">
        {result.summary}
      </p>
      {contradiction && (
        <p class="why-not">
          {t.changed} <English>{contradiction.summary}</English>
        </p>
      )}
      <Disclosure title={a.allChains}>
        <AllChains chains={evidence.samples} cut={[]} stoppedBy={result.stoppedBy} question={question} />
      </Disclosure>
      <Disclosure title={a.howAsked}>
        <Facts rows={factsOf(evidence)} />
      </Disclosure>
      <p class="hint">{model === null ? t.noModel : sameFile === false ? t.otherFile : t.with(model)}</p>
      {progress ? (
        <div class="actions" role="status">
          <span>
            {t.running} {progress.plan && thinking.answered(ended(progress), progress.plan.samples)}
          </span>
          <button type="button" class="small" onClick={() => store.stop()}>
            {thinking.stop}
          </button>
        </div>
      ) : (
        <div class="actions">
          <button type="button" class="primary" onClick={() => void store.runAgain()}>
            {t.again}
          </button>
          <button type="button" onClick={() => store.close()}>
            {t.close}
          </button>
        </div>
      )}
      {replay && (
        <section class={`replay ${replay.same ? 'same' : 'differs'}`}>
          <h3 tabindex={-1} ref={focusOnce(replay)}>
            {replay.same ? t.same : t.differs}
          </h3>
          {!replay.same && (
            <p>
              {t.parts}
              {writing.value.colon}
              <English>{replay.summary}</English>
            </p>
          )}
          {replay.environment.length > 0 && (
            <>
              <p>
                {t.changes}
                {writing.value.colon}
              </p>
              <ul lang="en" dir="ltr">
                {replay.environment.map(change => (
                  <li key={change}>{change}</li>
                ))}
              </ul>
            </>
          )}
        </section>
      )}
    </article>
  );
}

/** `3 say D`, the most first. */
function saidBy({ question, result: { votes } }: Evidence): string[] {
  return choicesOf(question, words.value)
    .map(({ label }) => ({ label, count: votes[label] ?? 0 }))
    .filter(({ count }) => count > 0)
    .sort((a, b) => b.count - a.count)
    .map(({ label, count }) => words.value.answer.says(count, inShort(label, question, words.value)));
}

/** What was heard of a vote that was lost. */
function Part({ store, part }: { readonly store: RecordsStore; readonly part: PartialRecord }) {
  const { records: t, answer: a, how } = words.value;
  const { model, question, meditron, created } = part;
  return (
    <article class="panel record">
      <h2 tabindex={-1} ref={focusOnce(part)}>
        {a.question}
      </h2>
      <QuestionText question={question} />
      <Choices question={question} />
      <h2>{a.from}</h2>
      <p class="why-not">{t.part}</p>
      <PartOfVote part={part} />
      <Facts
        rows={[
          [how.model, <English>{model?.name ?? '–'}</English>],
          [
            how.hash,
            <span class="hash" dir="ltr">
              {model?.sha256 ?? how.hashUnknown}
            </span>,
          ],
          [how.version, <Version of={meditron ?? '–'} created={created} />],
        ]}
      />
      <div class="actions">
        <button type="button" onClick={() => store.close()}>
          {t.close}
        </button>
      </div>
    </article>
  );
}

function History({ store, machine }: Props) {
  const { records: t, shell } = words.value;
  const { bytes, comma, time } = writing.value;
  const history = store.history.value;
  return (
    <section class="panel history">
      <h2>{t.history}</h2>
      {!machine.mayRead.value && machine.state.value && <p class="why-not">{shell.needsKey}</p>}
      {history && history.folder === null && <p class="why-not">{t.unavailable}</p>}
      {history && history.folder !== null && (
        <>
          <p>{history.on ? t.historyOn : t.historyOff}</p>
          {history.on && (
            <p class="hint">
              {history.entries !== null && t.kept(history.entries)} ({history.encrypted ? t.encrypted : t.plain}
              {comma}
              {bytes(history.bytes)}) <English>{history.folder}</English>
            </p>
          )}
          {history.on && history.locked && (
            <Passphrase store={store} label={t.passphraseOnly} done={() => store.unlock()} button={t.unlock} />
          )}
          {store.isWrong.value && (
            <p class="why-not" role="alert">
              {t.wrong}
            </p>
          )}
          {!history.on && (
            <Passphrase
              store={store}
              label={t.passphrase}
              hint={t.passphraseWarning}
              done={() => store.turnOn()}
              button={t.turnOn}
            />
          )}
          <ul class="entries">
            {store.items.value.map(({ id, title, created }) => (
              <li key={id}>
                <button
                  type="button"
                  class="link"
                  aria-label={t.openOne(title)}
                  onClick={() => void store.openKept(id)}
                >
                  {title}
                </button>
                <span class="hint">{time(created)}</span>
                <button
                  type="button"
                  class="small"
                  aria-label={t.deleteOne(title)}
                  onClick={() => void store.remove(id)}
                >
                  {t.remove}
                </button>
              </li>
            ))}
          </ul>
          {history.on && (
            <div class="actions">
              {!history.locked && (
                <button type="button" onClick={() => void store.exportAll()}>
                  {t.export}
                </button>
              )}
              <button type="button" onClick={() => void store.turnOff()}>
                {t.turnOff}
              </button>
            </div>
          )}
        </>
      )}
    </section>
  );
}

interface PassphraseProps {
  readonly store: RecordsStore;
  readonly label: string;
  readonly hint?: string;
  readonly button: string;
  readonly done: () => Promise<void>;
}

function Passphrase({ store, label, hint, button, done }: PassphraseProps) {
  return (
    <form
      class="row"
      onSubmit={event => {
        event.preventDefault();
        void done();
      }}
    >
      <Field id="passphrase" label={label} hint={hint}>
        <input
          id="passphrase"
          type="password"
          autocomplete="off"
          value={store.passphrase.value}
          onInput={event => {
            store.passphrase.value = event.currentTarget.value;
          }}
        />
      </Field>
      <button type="submit">{button}</button>
    </form>
  );
}
