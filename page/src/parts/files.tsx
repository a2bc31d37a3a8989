import { signal } from '@preact/signals';
import type { FolderEntry, FolderState } from '../../../src/server/meditron/protocol.js';
import { type Api, type Problem, problemOf } from '../api/api.js';
import { words, writing } from '../words/words.js';
import { English, Failed, Field } from './parts.js';

/** Folders of this machine, as the server shows them. */
export class Folders {
  readonly state = signal<FolderState | null>(null);
  readonly problem = signal<Problem | null>(null);
  readonly #api: Api;

  constructor(api: Api) {
    this.#api = api;
  }

  async open(folder?: string): Promise<void> {
    try {
      const query = folder === undefined ? '' : `?folder=${encodeURIComponent(folder)}`;
      this.state.value = await this.#api.get<FolderState>(`files${query}`);
      this.problem.value = null;
    } catch (error) {
      this.problem.value = problemOf(error);
    }
  }

  close(): void {
    this.state.value = null;
  }
}

interface Props {
  readonly folders: Folders;
  readonly kind: FolderEntry['kind'];
  readonly label: (name: string) => string;
  readonly pick: (path: string) => void;
}

/** Folders to walk through, and the files in them that may be picked. */
export function FolderList({ folders, kind, label, pick }: Props) {
  const { models: t } = words.value;
  const { bytes } = writing.value;
  const state = folders.state.value;
  const problem = folders.problem.value;
  const entries = state?.entries.filter(entry => entry.kind === 'folder' || entry.kind === kind) ?? [];
  return (
    <div class="folders">
      {problem && <Failed problem={problem} />}
      {state && (
        <>
          <p class="places">
            {state.places.map(({ name, path }) => (
              <button key={path} type="button" class="small" onClick={() => void folders.open(path)}>
                {name in t.places ? t.places[name as keyof typeof t.places] : <English>{name}</English>}
              </button>
            ))}
          </p>
          <p class="hint">
            {t.folder}
            {writing.value.colon}
            <English>{state.folder}</English>
          </p>
          <ul class="entries">
            {state.parent !== null && (
              <li>
                <button type="button" class="link" onClick={() => void folders.open(state.parent!)}>
                  {t.up}
                </button>
              </li>
            )}
            {entries.map(entry => (
              <li key={entry.path}>
                <button
                  type="button"
                  class="link"
                  aria-label={entry.kind === 'folder' ? t.open(entry.name) : label(entry.name)}
                  onClick={() => (entry.kind === 'folder' ? void folders.open(entry.path) : pick(entry.path))}
                >
                  <English>{entry.kind === 'folder' ? `${entry.name}/` : entry.name}</English>
                </button>
                {entry.sizeBytes !== null && <span class="hint">{bytes(entry.sizeBytes)}</span>}
              </li>
            ))}
          </ul>
          {!entries.some(entry => entry.kind === kind) && <p class="hint">{t.noFiles}</p>}
        </>
      )}
    </div>
  );
}

interface PathFieldProps {
  readonly id: string;
  readonly label: string;
  readonly value: string;
  readonly isRequired?: boolean;
  readonly change: (path: string) => void;
}

/** A path of this machine, as it is typed. */
export function PathField({ id, label, value, isRequired = false, change }: PathFieldProps) {
  return (
    <Field id={id} label={label}>
      <input
        id={id}
        dir="ltr"
        required={isRequired}
        autocomplete="off"
        spellcheck={false}
        value={value}
        onInput={event => change(event.currentTarget.value)}
      />
    </Field>
  );
}
