import type { ComponentChildren } from 'preact';
import { announced } from './announce.js';
import { chooseLanguage, chooseTheme, type Theme, theme } from './kept.js';
import { areKeysShown } from './keys.js';
import type { Machine } from './machine.js';
import { English, Failed } from './parts/parts.js';
import { route, screens } from './router.js';
import { type Language, language, languages, words } from './words/words.js';

interface Props {
  readonly machine: Machine;
  /** Whether the screen says itself that nothing answers. */
  readonly isSaid: boolean;
  readonly children: ComponentChildren;
}

/** What stands around every screen. */
export function Shell({ machine, isSaid, children }: Props) {
  const { shell } = words.value;
  const { problem, state } = machine;
  return (
    <>
      <a class="skip" href="#main">
        {shell.skip}
      </a>
      <header class="top">
        <p class="brand">
          <a href="#/ask">Meditron</a>
        </p>
        <Navigation />
        <div class="choices">
          <Choice id="language" label={shell.language} value={language.value} choose={chooseLanguage}>
            {Object.entries(languages).map(([tag, name]) => (
              <option key={tag} value={tag} lang={tag}>
                {name}
              </option>
            ))}
          </Choice>
          <Choice id="theme" label={shell.theme} value={theme.value} choose={chooseTheme}>
            {(['auto', 'light', 'dark'] as const).map(name => (
              <option key={name} value={name}>
                {shell.themes[name]}
              </option>
            ))}
          </Choice>
        </div>
      </header>
      <main id="main" tabindex={-1}>
        {problem.value && !(isSaid && problem.value.code === 'UNREACHABLE') && (
          <Failed problem={problem.value}>
            <p>
              <button type="button" class="small" onClick={() => void machine.refresh()}>
                {shell.retry}
              </button>
            </p>
          </Failed>
        )}
        {children}
      </main>
      <Foot machine={machine} isOn={state.value !== null} />
      <p class="unseen" role="status" aria-live="polite">
        {announced.value}
      </p>
      <Keys />
    </>
  );
}

function Navigation() {
  const { shell } = words.value;
  const here = route.value.screen;
  return (
    <nav aria-label={shell.screensLabel}>
      <ul>
        {screens
          .filter(name => name !== 'about')
          .map(name => (
            <li key={name}>
              <a href={`#/${name}`} aria-current={name === here ? 'page' : undefined}>
                {shell.screens[name]}
              </a>
            </li>
          ))}
      </ul>
    </nav>
  );
}

interface ChoiceProps<T extends string> {
  readonly id: string;
  readonly label: string;
  readonly value: T;
  readonly choose: (value: T) => void;
  readonly children: ComponentChildren;
}

function Choice<T extends Language | Theme>({ id, label, value, choose, children }: ChoiceProps<T>) {
  return (
    <>
      <label class="unseen" for={id}>
        {label}
      </label>
      <select id={id} class="choice" value={value} onChange={event => choose(event.currentTarget.value as T)}>
        {children}
      </select>
    </>
  );
}

/** What answers, on what, and that nothing is stored or sent: on every screen. */
function Foot({ machine, isOn }: { readonly machine: Machine; readonly isOn: boolean }) {
  const { shell } = words.value;
  const model = machine.model(undefined);
  const computer = machine.state.value?.machine;
  const features = machine.state.value?.features;
  return (
    <footer class="foot">
      {model?.demonstration && <p class="badge">{shell.demonstration}</p>}
      <p>
        {isOn && (
          <>
            <English>{model ? [model.name, model.quantization].join(' ') : shell.noModel}</English>
            {computer && (
              <>
                {' · '}
                <English>{computer.processor}</English>
                {' · '}
                {shell.memory(computer.memoryBytes - computer.availableBytes, computer.memoryBytes)}
              </>
            )}
            {' · '}
          </>
        )}
        <strong>{features?.history ? shell.historyOn : shell.nothingKept}</strong>
      </p>
      <p>
        <a href="#/about" aria-current={route.value.screen === 'about' ? 'page' : undefined}>
          {words.value.about.title}
        </a>
        {' · '}
        <button
          type="button"
          class="link"
          onClick={() => {
            areKeysShown.value = true;
          }}
        >
          {shell.keys} <kbd>?</kbd>
        </button>
      </p>
    </footer>
  );
}

function Keys() {
  const { keys, shell } = words.value;
  if (!areKeysShown.value) return null;
  const rows = [
    ['Ctrl+Enter', keys.ask],
    ['Esc', keys.stop],
    ['Alt+1 … Alt+5', keys.screens],
    ['?', keys.list],
  ] as const;
  const close = () => {
    areKeysShown.value = false;
  };
  return (
    <dialog class="keys" aria-labelledby="keys-title" ref={openDialog} onClose={close}>
      <h2 id="keys-title">{keys.title}</h2>
      <dl>
        {rows.map(([key, does]) => (
          <div key={key}>
            <dt>
              <kbd dir="ltr">{key}</kbd>
            </dt>
            <dd>{does}</dd>
          </div>
        ))}
      </dl>
      <button type="button" class="primary" onClick={event => event.currentTarget.closest('dialog')?.close()}>
        {shell.close}
      </button>
    </dialog>
  );
}

function openDialog(dialog: HTMLDialogElement | null): void {
  if (dialog && !dialog.open) dialog.showModal();
}
