import type { Machine } from '../machine.js';
import { English, Field } from '../parts/parts.js';
import { words, writing } from '../words/words.js';
import type { RecordsStore } from './store.js';

interface Props {
  readonly store: RecordsStore;
  readonly machine: Machine;
}

/** What is kept on this machine, if somebody has turned that on. */
export function History({ store, machine }: Props) {
  const { records: t, shell } = words.value;
  const { bytes, comma, time } = writing.value;
  const history = store.history.value;
  return (
    <section class="panel history no-print">
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
