import { signal } from '@preact/signals';
import type {
  Answer,
  Evidence,
  HistoryEntry,
  HistoryItem,
  HistoryState,
  PartialRecord,
  RecordCheck,
  Replay,
  ReplayStreamEvent,
} from '../../../src/server/meditron/protocol.js';
import { type Api, ApiError, type Problem, problemOf } from '../api/api.js';
import { isPartial } from '../ask/part.js';
import { advance, begun, type Progress } from '../ask/progress.js';
import { textOf } from '../ask/question.js';
import { saveJson } from '../download.js';
import type { Machine } from '../machine.js';
import { paced } from '../paced.js';

/** The screen Records: a record that is opened and run again, and what is kept if somebody has turned that on. */
export class RecordsStore {
  readonly check = signal<RecordCheck | null>(null);
  readonly record = signal<unknown>(null);
  /** What was opened, if it is part of a vote that cannot be run again. */
  readonly part = signal<PartialRecord | null>(null);
  /** Whether what could not be opened is a record of several models. */
  readonly isPanel = signal(false);
  readonly problem = signal<Problem | null>(null);
  readonly progress = signal<Progress | null>(null);
  readonly replay = signal<Replay | null>(null);
  readonly history = signal<HistoryState | null>(null);
  readonly items = signal<readonly HistoryItem[]>([]);
  readonly passphrase = signal('');
  readonly isWrong = signal(false);
  readonly #api: Api;
  readonly #machine: Machine;
  #running: AbortController | undefined;

  constructor(api: Api, machine: Machine) {
    this.#api = api;
    this.#machine = machine;
  }

  /** Opens a record from a file of the person's; nothing is kept of it. */
  async open(file: Blob): Promise<void> {
    this.close();
    await this.#attempt(async () => {
      let record: unknown;
      try {
        record = JSON.parse(await file.text());
      } catch {
        throw new ApiError({ message: '', type: 'page', param: null, code: 'ERR_INPUT' }, 0);
      }
      this.isPanel.value = String((record as { schema?: unknown } | null)?.schema).startsWith('meditron.panel.');
      if (isPartial(record)) this.part.value = record;
      else await this.#show(record);
    });
  }

  close(): void {
    this.#running?.abort();
    this.check.value = null;
    this.record.value = null;
    this.part.value = null;
    this.replay.value = null;
    this.progress.value = null;
    this.problem.value = null;
  }

  /** Runs the record again: the same, or where it parts. */
  async runAgain(): Promise<void> {
    const check = this.check.value;
    if (!check || this.progress.value) return;
    this.replay.value = null;
    this.#running = new AbortController();
    const { signal } = this.#running;
    let progress: Progress = { ...begun(performance.now()), question: check.evidence.question };
    const show = paced(() => {
      if (this.progress.value) this.progress.value = progress;
    });
    this.progress.value = progress;
    await this.#attempt(async () => {
      const body = { record: this.record.value, ...(check.model !== null && { model: check.model }) };
      for await (const { event } of this.#api.stream<ReplayStreamEvent>('POST', 'replay', { body, signal })) {
        if (event.type === 'failed') throw new ApiError(event.error, 200);
        if (event.type === 'replayed') this.replay.value = event.replay;
        else progress = advance(progress, event, performance.now());
        show(false);
      }
    });
    this.progress.value = null;
  }

  stop(): void {
    this.#running?.abort();
  }

  async refresh(): Promise<void> {
    if (!this.#machine.mayRead.value) return;
    await this.#attempt(async () => {
      const history = await this.#api.get<HistoryState>('history');
      this.history.value = history;
      const isReadable = history.on && !history.locked;
      this.items.value = isReadable ? await this.#api.get<HistoryItem[]>('history/entries') : [];
    });
  }

  /** Keeps an answer, if history is on. */
  async keep(answer: Answer): Promise<void> {
    const history =
      this.history.value ?? (this.#machine.state.value?.features.history ? { on: true, locked: false } : null);
    if (!history?.on || history.locked) return;
    const title = textOf(answer.evidence.question).slice(0, 200);
    await this.#attempt(() => this.#api.post('history/entries', { kind: 'ask', title, data: answer.evidence }));
    if (this.history.value) await this.refresh();
  }

  turnOn(): Promise<void> {
    const passphrase = this.passphrase.value;
    return this.#change(() => this.#api.post('history', { on: true, ...(passphrase !== '' && { passphrase }) }));
  }

  /** Deletes what is kept, and keeps nothing more. */
  turnOff(): Promise<void> {
    return this.#change(async () => {
      await this.#api.delete('history');
      await this.#api.post('history', { on: false });
    });
  }

  async unlock(): Promise<void> {
    this.isWrong.value = false;
    try {
      await this.#api.post('history/unlock', { passphrase: this.passphrase.value });
    } catch {
      this.isWrong.value = true;
      return;
    }
    await this.#change(async () => {});
  }

  remove(id: string): Promise<void> {
    return this.#change(() => this.#api.delete(`history/entries/${id}`));
  }

  async openKept(id: string): Promise<void> {
    this.close();
    await this.#attempt(async () => this.#show((await this.#api.get<HistoryEntry>(`history/entries/${id}`)).data));
  }

  async exportAll(): Promise<void> {
    await this.#attempt(async () => {
      const all = await this.#api.get<HistoryEntry[]>('history/export');
      saveJson('meditron-history.json', all);
    });
  }

  async #show(given: unknown): Promise<void> {
    const record = (given as { evidence?: Evidence } | null)?.evidence ?? given;
    this.check.value = await this.#api.post<RecordCheck>('records', { record });
    this.record.value = record;
  }

  async #change(work: () => Promise<unknown>): Promise<void> {
    await this.#attempt(work);
    this.passphrase.value = '';
    await this.refresh();
    await this.#machine.refresh();
  }

  async #attempt(work: () => Promise<unknown>): Promise<void> {
    this.problem.value = null;
    try {
      await work();
    } catch (error) {
      if (!(error instanceof DOMException && error.name === 'AbortError')) this.problem.value = problemOf(error);
    }
  }
}
