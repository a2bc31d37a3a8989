import type { Machine } from '../machine.js';
import { Failed } from '../parts/parts.js';
import { words } from '../words/words.js';
import { History } from './history.js';
import { Opened } from './opened.js';
import { Part } from './part.js';
import { RecordSheet } from './sheet.js';
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
        class="drop panel no-print"
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
          <Failed problem={problem} what={store.isRecord.value ? t.changed : t.notARecord} />
        ) : (
          <Failed problem={problem} {...(problem.code === 'TOO_LARGE' && { what: t.tooLarge })} />
        ))}
      {store.part.value && <Part store={store} part={store.part.value} />}
      {store.check.value && (
        <>
          <Opened store={store} check={store.check.value} />
          <div class="print-only">
            <RecordSheet check={store.check.value} />
          </div>
        </>
      )}
      <History store={store} machine={machine} />
    </>
  );
}
