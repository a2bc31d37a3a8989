import type { Machine } from '../machine.js';
import { Failed } from '../parts/parts.js';
import { words } from '../words/words.js';
import { Accuracy } from './accuracy.js';
import { How, SecondOpinions } from './options.js';
import { ReadBack } from './readback.js';
import type { AskStore } from './store.js';

/** The box, what was read from it, and how it is asked. */
export function Composer({ store, machine }: { readonly store: AskStore; readonly machine: Machine }) {
  const { ask, shell } = words.value;
  const { draft, hint } = store;
  const { reading, problem, text, settings } = draft;
  const model = machine.model(settings.value.model);
  return (
    <form
      class="composer"
      onSubmit={event => {
        event.preventDefault();
        void store.ask();
      }}
    >
      {model?.demonstration && (
        <p class="demonstration">
          <strong>{shell.demonstrationLong}</strong>
        </p>
      )}
      <label class="big" for="question">
        {ask.label}
      </label>
      <textarea
        id="question"
        rows={8}
        spellcheck={false}
        autocomplete="off"
        // As long as it is empty, what stands in it is the page's.
        dir={text.value === '' ? undefined : 'auto'}
        placeholder={ask.placeholder}
        aria-describedby="question-hint"
        value={text.value}
        ref={focusAtFirst}
        onInput={event => draft.write(event.currentTarget.value)}
      />
      <p class="hint" id="question-hint">
        {shell.nothingKept} {ask.privacy}
      </p>
      {draft.isExample.value && <p class="example">{ask.exampleNote}</p>}
      {problem.value && text.value.trim() !== '' && (
        <Failed problem={problem.value}>
          <p>{words.value.read.unreadable}</p>
        </Failed>
      )}
      {reading.value && <ReadBack draft={draft} reading={reading.value} />}
      <div class="actions">
        <button type="submit" class="primary">
          {ask.button(draft.samples.value)}
        </button>
        <button type="button" class="plain" onClick={() => store.tryExample()}>
          {ask.example}
        </button>
        <kbd class="shortcut">Ctrl+Enter</kbd>
      </div>
      {/* Here before it says anything: a region that comes with its words is not always read out. */}
      <div role="status">
        {hint.value && (
          <p class="why-not">{{ empty: ask.empty, unread: ask.unread, options: ask.tooFew }[hint.value]}</p>
        )}
      </div>
      <p class="hint">
        {draft.samples.value > 1 && `${ask.chainsExplained} `}
        <Accuracy model={model} />
      </p>
      <SecondOpinions draft={draft} machine={machine} />
      <How draft={draft} machine={machine} />
    </form>
  );
}

let wasFocused = false;

/** The page opens with the cursor in the box; coming back to it takes the focus from nothing. */
function focusAtFirst(box: HTMLTextAreaElement | null): void {
  if (!box || wasFocused) return;
  wasFocused = true;
  box.focus();
}
