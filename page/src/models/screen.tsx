import type { ModelState } from '../../../src/server/meditron/protocol.js';
import { accuracyInWords } from '../ask/accuracy.js';
import type { Draft } from '../ask/draft.js';
import type { Machine } from '../machine.js';
import { FolderList, PathField } from '../parts/files.js';
import { English, Facts, Failed } from '../parts/parts.js';
import { words, writing } from '../words/words.js';
import type { ModelsStore } from './store.js';

interface Props {
  readonly store: ModelsStore;
  readonly machine: Machine;
  readonly draft: Draft;
}

/** What is on this machine, what fits, how fast it is here, and how it is known. */
export function ModelsScreen({ store, machine, draft }: Props) {
  const { models: t, shell } = words.value;
  const computer = machine.state.value?.machine;
  const problem = store.problem.value;
  return (
    <>
      <h1>{t.title}</h1>
      {problem && <Failed problem={problem} />}
      {machine.models.value.map(model => (
        <Model key={model.name} model={model} store={store} machine={machine} draft={draft} />
      ))}
      {computer && (
        <section class="panel">
          <h2>{t.machine}</h2>
          <p>
            <English>
              {computer.processor} ({computer.platform})
            </English>
          </p>
          <p>{t.cores(computer.cores)}</p>
          <p>{t.memory(computer.availableBytes, computer.memoryBytes)}</p>
        </section>
      )}
      <section class="panel">
        <h2>{t.add}</h2>
        {machine.mayRead.value ? (
          <>
            <form
              class="row"
              onSubmit={event => {
                event.preventDefault();
                if (store.path.value.trim() !== '') void store.add(store.path.value.trim());
              }}
            >
              <PathField
                id="model-path"
                label={t.path}
                value={store.path.value}
                change={path => {
                  store.path.value = path;
                }}
              />
              <button type="submit">{t.addPath}</button>
              <button type="button" onClick={() => void store.folders.open()}>
                {t.browse}
              </button>
            </form>
            <FolderList folders={store.folders} kind="model" label={t.use} pick={path => void store.add(path)} />
          </>
        ) : (
          <p class="why-not">{shell.needsKey}</p>
        )}
      </section>
      <section class="panel">
        <h2>{t.where}</h2>
        <p>{t.whereText}</p>
        <button
          type="button"
          class="small"
          onClick={() => {
            void navigator.clipboard?.writeText(t.whereText).then(() => {
              store.isCopied.value = true;
            });
          }}
        >
          {t.copy}
        </button>{' '}
        <span role="status">{store.isCopied.value && t.copied}</span>
      </section>
    </>
  );
}

interface ModelProps extends Props {
  readonly model: ModelState;
}

function Model({ model, store, machine, draft }: ModelProps) {
  const { models: t, shell } = words.value;
  const { bytes, comma, about } = writing.value;
  const { name, title, sizeBytes, quantization, licence, format, fits, speed, hash, demonstration, problems } = model;
  const isChosen = machine.model(draft.settings.value.model)?.name === name;
  const work = store.work.value?.model === name ? store.work.value : null;
  return (
    <article class={`panel model ${isChosen ? 'chosen' : ''}`}>
      <h2>
        <English>{name}</English> {isChosen && <span class="tag">{t.chosen}</span>}
        {model.state === 'loaded' && <span class="tag">{t.loaded}</span>}
      </h2>
      {demonstration && <p class="badge">{shell.demonstrationLong}</p>}
      {problems.map(problem => (
        <p key={problem} class="why-not">
          <English>{problem}</English>
        </p>
      ))}
      <Facts
        rows={[
          [
            t.name,
            <>
              <English>{format?.model ?? title ?? name}</English> ({t.knownBy[format?.by ?? 'unknown']})
            </>,
          ],
          [t.family, <English>{model.family?.name ?? '–'}</English>],
          [t.size, `${bytes(sizeBytes)}${comma}${t.weights(about(model.parameters / 1e6))}`],
          [t.quantization, <English>{quantization}</English>],
          [t.licence, licence === null ? t.licenceUnknown : <English>{licence}</English>],
          [
            t.fits,
            fits === null
              ? t.fitsUnknown
              : fits.fits === 'no'
                ? t.fitsNot(fits.memoryBytes, fits.availableBytes)
                : t.fitsWith(fits.samples),
          ],
          [t.speed, speed ? t.speedOf(speed.five, speed.questionSeconds * 1000) : t.notMeasured],
          [
            t.hash,
            <>
              {{ verified: t.hashKnown, unknown: t.hashComputed, unread: t.hashNot }[hash.known]}
              {hash.sha256 !== null && (
                <>
                  {' '}
                  <span class="hash" dir="ltr">
                    {hash.sha256}
                  </span>
                </>
              )}
            </>,
          ],
          [t.accuracy, accuracyInWords(model)],
        ]}
      />
      {work && (
        <p role="status">
          {work.what === 'measure' ? t.measuring : t.hashing}{' '}
          <progress max={1} value={work.fraction} aria-label={work.what === 'measure' ? t.measuring : t.hashing} />
        </p>
      )}
      {problems.length === 0 && (
        <div class="actions">
          {!isChosen && (
            <button type="button" onClick={() => draft.set({ model: name })}>
              {t.choose}
            </button>
          )}
          {!work && (
            <button type="button" onClick={() => void store.run(name, 'measure')}>
              {t.measure}
            </button>
          )}
          {!work && hash.known === 'unread' && (
            <button type="button" onClick={() => void store.run(name, 'hash')}>
              {t.check}
            </button>
          )}
        </div>
      )}
    </article>
  );
}
