import type { Reading } from '../../../src/server/meditron/protocol.js';
import { words } from '../words/words.js';
import type { Draft } from './draft.js';
import { letter, textOf } from './question.js';

/** What was read, before anything is asked: each option editable, and what was taken off. */
export function ReadBack({ draft, reading }: { readonly draft: Draft; readonly reading: Reading }) {
  const { read } = words.value;
  const kind = draft.effectiveKind.value;
  const options = draft.options.value;
  return (
    <section class="read-back" aria-label={read.title}>
      <div class="summary">
        <p>{summaryOf(draft)}</p>
        <Otherwise draft={draft} reading={reading} />
      </div>
      <QuestionLine draft={draft} reading={reading} />
      {kind === 'choice' && (
        <>
          <ol class="options">
            {options.map((text, i) => (
              <Option key={i} draft={draft} i={i} text={text} />
            ))}
          </ol>
          {options.length < 26 && (
            <button
              type="button"
              class="small"
              onClick={() => {
                draft.correct({ options: [...options, ''] });
                draft.editing.value = options.length;
              }}
            >
              {read.add}
            </button>
          )}
        </>
      )}
      <TakenOff draft={draft} reading={reading} />
    </section>
  );
}

/** What the text was read as, in one sentence; null: nothing was read. */
export function summaryOf(draft: Draft): string | null {
  if (!draft.reading.value) return null;
  const { read } = words.value;
  const kind = draft.effectiveKind.value;
  if (kind === 'choice') return read.options(draft.options.value.length);
  return { boolean: read.boolean, ranked: read.ranked, free: read.open }[kind];
}

/** The other ways to take it, one click each. */
function Otherwise({ draft, reading }: { readonly draft: Draft; readonly reading: Reading }) {
  const { read } = words.value;
  const kind = draft.effectiveKind.value;
  const hasOptions = reading.question.kind === 'choice' || draft.kind.value !== null;
  return (
    <p class="otherwise">
      {kind !== 'free' && (
        <button type="button" class="link" onClick={() => draft.choose('free')}>
          {read.asOpen}
        </button>
      )}
      {kind !== 'choice' && hasOptions && (
        <button type="button" class="link" onClick={() => draft.choose(null)}>
          {read.asChoice}
        </button>
      )}
      {kind === 'free' && (
        <button type="button" class="link" onClick={() => draft.choose('boolean')}>
          {read.asBoolean}
        </button>
      )}
      {kind === 'free' && (
        <button type="button" class="link" onClick={() => draft.choose('ranked')}>
          {read.asRanked}
        </button>
      )}
    </p>
  );
}

function QuestionLine({ draft, reading }: { readonly draft: Draft; readonly reading: Reading }) {
  const { read } = words.value;
  const text = draft.corrections.value.question ?? textOf(reading.question);
  if (draft.editing.value === 'question')
    return (
      <Edit
        id="edit-question"
        label={read.question}
        text={text}
        rows={4}
        change={question => draft.correct({ question })}
        done={() => {
          draft.editing.value = null;
        }}
      />
    );
  return (
    <div class="read-question">
      <p dir="auto">{text}</p>
      <button
        type="button"
        class="edit"
        aria-label={read.edit(read.question)}
        onClick={() => {
          draft.editing.value = 'question';
        }}
      >
        <Pencil />
      </button>
    </div>
  );
}

function Option({ draft, i, text }: { readonly draft: Draft; readonly i: number; readonly text: string }) {
  const { read } = words.value;
  const options = draft.options.value;
  const change = (changed: string) => draft.correct({ options: options.map((old, j) => (i === j ? changed : old)) });
  if (draft.editing.value === i)
    return (
      <li>
        <Edit
          id={`edit-${i}`}
          label={read.option(letter(i))}
          text={text}
          rows={1}
          change={change}
          done={() => {
            draft.editing.value = null;
          }}
        />
      </li>
    );
  return (
    <li>
      <b class="letter">{letter(i)}</b>
      <span class="text" dir="auto">
        {text}
      </span>
      <button
        type="button"
        class="edit"
        aria-label={read.edit(read.option(letter(i)))}
        onClick={() => {
          draft.editing.value = i;
        }}
      >
        <Pencil />
      </button>
      <button
        type="button"
        class="edit"
        aria-label={read.remove(letter(i))}
        onClick={() => {
          draft.editing.value = null;
          draft.correct({ options: options.filter((_, j) => j !== i) });
        }}
      >
        <Cross />
      </button>
    </li>
  );
}

interface EditProps {
  readonly id: string;
  readonly label: string;
  readonly text: string;
  readonly rows: number;
  readonly change: (text: string) => void;
  readonly done: () => void;
}

function Edit({ id, label, text, rows, change, done }: EditProps) {
  return (
    <div class="editing">
      <label for={id}>{label}</label>
      <textarea
        id={id}
        rows={rows}
        dir="auto"
        spellcheck={false}
        autocomplete="off"
        value={text}
        ref={focusNew}
        onInput={event => change(event.currentTarget.value)}
        onKeyDown={event => {
          const isDone =
            event.key === 'Escape' || (event.key === 'Enter' && rows === 1 && !event.ctrlKey && !event.metaKey);
          if (!isDone) return;
          event.preventDefault();
          event.stopPropagation();
          done();
        }}
      />
      <button type="button" class="small" onClick={done}>
        {words.value.read.done}
      </button>
    </div>
  );
}

/** A field that was opened by a click has the focus. */
const focused = new WeakSet<Element>();
function focusNew(field: HTMLTextAreaElement | null): void {
  if (!field || focused.has(field)) return;
  focused.add(field);
  field.focus();
}

/** Findings that took something off, which can be put back, and those that are only to be known. */
function TakenOff({ draft, reading }: { readonly draft: Draft; readonly reading: Reading }) {
  const { read } = words.value;
  const { putBack } = draft.corrections.value;
  const findings = reading.findings.filter(
    ({ kind, text }) =>
      kind !== 'no-options' &&
      !(['heading', 'number', 'mark'].includes(kind) && text.length < 3) &&
      // Options that had no letters are not renamed.
      !(kind === 'renamed' && !/[\p{L}\p{N}]/u.test(text)),
  );
  if (findings.length === 0) return null;
  return (
    <ul class="findings">
      {findings.map(({ kind, text, line }) => (
        <li key={`${kind} ${line} ${text}`} class={putBack.includes(text) ? 'is-back' : ''}>
          {isOff(kind) && `${read.takenOff} `}
          {text !== '' && (
            <q dir="auto" class="taken">
              {text}
            </q>
          )}{' '}
          {isOff(kind) ? `(${read.findings[kind]}). ` : `${read.findings[kind]} `}
          {isOff(kind) && text !== '' && !putBack.includes(text) && (
            <button type="button" class="link" onClick={() => draft.correct({ putBack: [...putBack, text] })}>
              {read.putBack}
            </button>
          )}
        </li>
      ))}
    </ul>
  );
}

function isOff(kind: Reading['findings'][number]['kind']): boolean {
  return ['key', 'explanation', 'footer', 'field', 'heading', 'number', 'mark'].includes(kind);
}

const Pencil = () => (
  <svg viewBox="0 0 16 16" aria-hidden="true" class="icon">
    <path d="M2 14l.8-3.4L11 2.4a1.4 1.4 0 0 1 2 0l.6.6a1.4 1.4 0 0 1 0 2L5.400 13.200Z" />
  </svg>
);

const Cross = () => (
  <svg viewBox="0 0 16 16" aria-hidden="true" class="icon">
    <path d="M3.500 3.500l9 9m0-9l-9 9" />
  </svg>
);
