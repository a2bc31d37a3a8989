import { signal } from '@preact/signals';
import { evidenceSchema } from '../../../src/ask/types.js';
import { panelSchema } from '../../../src/panel/types.js';
import type {
  Answer,
  AskEvent,
  HistoryEntry,
  HistoryItem,
  HistoryState,
  PanelCheck,
  PanelReplay,
  PanelReplayStreamEvent,
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

/** Bytes of a file that is read: what a server takes, unless it is told otherwise. */
const largest = 4_000_000;

/** What is known of a record that was opened. */
export type Check = RecordCheck | PanelCheck;

/** A record that runs again: the model that is asked, where there are several, and how far it has come. */
export interface Again {
  readonly name: string | null;
  readonly progress: Progress;
}

/** The screen Records: a record that is opened and run again, and what is kept if somebody has turned that on. */
export class RecordsStore {
  readonly check = signal<Check | null>(null);
  readonly record = signal<unknown>(null);
  /** What was opened, if it is part of a vote that cannot be run again. */
  readonly part = signal<PartialRecord | null>(null);
  /** Whether what could not be opened says that it is a record. */
  readonly isRecord = signal(false);
  readonly problem = signal<Problem | null>(null);
  readonly again = signal<Again | null>(null);
  readonly replay = signal<Replay | PanelReplay | null>(null);
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
    this.isRecord.value = false;
    await this.#attempt(async () => {
      let record: unknown;
      if (file.size > largest) throw new ApiError({ message: '', type: 'page', param: null, code: 'TOO_LARGE' }, 0);
      try {
        record = JSON.parse(await file.text());
      } catch {
        throw new ApiError({ message: '', type: 'page', param: null, code: 'ERR_INPUT' }, 0);
      }
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
    this.again.value = null;
    this.problem.value = null;
  }

  /** Runs the record again: the same, or where it parts. */
  async runAgain(): Promise<void> {
    const check = this.check.value;
    if (!check || this.again.value) return;
    this.replay.value = null;
    const running = new AbortController();
    this.#running = running;
    let again = runOf(check, 0);
    let member = 0;
    const show = paced(() => {
      if (this.#running === running) this.again.value = again;
    });
    this.again.value = again;
    const hear = (event: AskEvent, of: number) => {
      if (of !== member) again = runOf(check, of);
      member = of;
      again = { ...again, progress: advance(again.progress, event, performance.now()) };
      show(false);
    };
    await this.#attempt(async () => {
      const isPanel = 'panel' in check;
      const body = { record: this.record.value, ...(!isPanel && check.model !== null && { model: check.model }) };
      const options = { body, signal: running.signal };
      for await (const { event } of this.#api.stream<ReplayStreamEvent | PanelReplayStreamEvent>(
        'POST',
        'replay',
        options,
      )) {
        if (event.type === 'failed') throw new ApiError(event.error, 200);
        // Another record may have been opened meanwhile.
        if (this.#running !== running) return;
        if (event.type === 'replayed') this.replay.value = event.replay;
        else if (event.type === 'ask') hear(event.event, event.member);
        else hear(event, 0);
      }
    });
    show.cancel();
    if (this.#running === running) this.again.value = null;
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

  async #show(record: unknown): Promise<void> {
    this.isRecord.value = saysRecord(record);
    this.check.value = await this.#api.post<Check>('records', { record });
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

/** Whether a value, or the answer that holds it, says that it is a record of this release; it need not be sound. */
function saysRecord(value: unknown): boolean {
  const { schema, evidence } = (value ?? {}) as { schema?: unknown; evidence?: { schema?: unknown } | null };
  return [evidenceSchema, panelSchema].includes(String(schema ?? evidence?.schema));
}

function runOf(check: Check, member: number): Again {
  const progress = begun(performance.now());
  if (!('panel' in check)) return { name: null, progress: { ...progress, question: check.evidence.question } };
  return { name: check.panel.members[member]!.name, progress };
}
