import { computed, signal } from '@preact/signals';
import type {
  BenchmarkState,
  ReportData,
  ReportRows,
  RunPlan,
  RunRequest,
  RunState,
  RunStreamEvent,
} from '../../../src/server/meditron/protocol.js';
import { announce } from '../announce.js';
import { type Api, type Problem, problemOf } from '../api/api.js';
import type { Draft } from '../ask/draft.js';
import type { Machine } from '../machine.js';
import { paced } from '../paced.js';
import { Folders } from '../parts/files.js';
import { words } from '../words/words.js';

export const evaluatedModes = ['top-token', 'cot', 'sc-cot'] as const;
export type EvaluatedMode = (typeof evaluatedModes)[number];

/** What is to be evaluated, as it is typed. */
export interface Form {
  readonly source: 'file' | 'benchmark';
  readonly file: string;
  readonly benchmark: string;
  readonly data: string;
  readonly modes: readonly EvaluatedMode[];
  readonly limit: number | null;
  readonly out: string;
}

/** The report that is open beside another run. */
export interface Compared {
  readonly with: string;
  /** Null as long as nothing has come. */
  readonly comparisons: ReportData['comparisons'] | null;
  readonly problem: Problem | null;
}

export type Only = 'all' | 'wrong' | 'right' | 'none';

/** Rows that are fetched at a time. */
const page = 20;

/** The screen Evaluate: runs, which are the server's and go on without the page, and the report of one. */
export class EvaluateStore {
  readonly form = signal<Form>({
    source: 'file',
    file: '',
    benchmark: '',
    data: '',
    modes: ['sc-cot'],
    limit: 20,
    out: '',
  });
  readonly benchmarks = signal<readonly BenchmarkState[]>([]);
  readonly plan = signal<RunPlan | null>(null);
  readonly runs = signal<readonly RunState[]>([]);
  readonly problem = signal<Problem | null>(null);
  readonly messages = signal<readonly string[]>([]);
  readonly isStarting = signal(false);
  readonly folders: Folders;
  readonly report = signal<ReportData | null>(null);
  readonly rows = signal<ReportRows | null>(null);
  readonly only = signal<Only>('all');
  readonly compared = signal<Compared | null>(null);
  readonly chosen = signal<string | null>(null);
  readonly run = computed(() => this.runs.value.find(({ id }) => id === this.chosen.value));
  readonly #api: Api;
  readonly #machine: Machine;
  readonly #draft: Draft;
  readonly #watched = new Set<string>();

  constructor(api: Api, machine: Machine, draft: Draft) {
    this.#api = api;
    this.#machine = machine;
    this.#draft = draft;
    this.folders = new Folders(api);
  }

  set(change: Partial<Form>): void {
    this.form.value = { ...this.form.value, ...change };
    this.plan.value = null;
  }

  /** What there is; runs that go on are watched. */
  async refresh(): Promise<void> {
    if (!this.#machine.mayRead.value) return;
    await this.#attempt(async () => {
      this.runs.value = await this.#api.get<RunState[]>('runs');
      if (this.benchmarks.value.length === 0)
        this.benchmarks.value = await this.#api.get<BenchmarkState[]>('questions');
    });
    for (const run of this.runs.value)
      if (run.state === 'running' || run.state === 'stopping') void this.#watch(run.id);
  }

  /** How many questions, and how long it would take. */
  async estimate(): Promise<void> {
    await this.#attempt(async () => {
      this.plan.value = await this.#api.post<RunPlan>('runs/plan', this.#request());
    });
  }

  async start(): Promise<void> {
    if (this.isStarting.value) return;
    this.isStarting.value = true;
    await this.#attempt(async () => {
      const run = await this.#api.post<RunState>('runs', this.#request());
      this.runs.value = [run, ...this.runs.value.filter(({ id }) => id !== run.id)];
      void this.#watch(run.id);
    });
    this.isStarting.value = false;
  }

  async stop(id: string): Promise<void> {
    await this.#attempt(() => this.#api.delete(`runs/${id}`));
  }

  /** Opens the report of a run, also while it grows; null closes it. */
  async open(id: string | null): Promise<void> {
    if (id === this.chosen.value && this.report.value) return;
    this.chosen.value = id;
    this.report.value = null;
    this.rows.value = null;
    this.compared.value = null;
    if (id !== null) await this.#fetchReport(id);
  }

  async filter(only: Only): Promise<void> {
    this.only.value = only;
    this.rows.value = null;
    await this.more();
  }

  /** The next questions of the report. */
  async more(): Promise<void> {
    const id = this.chosen.value;
    const before = this.rows.value;
    await this.#attempt(async () => {
      const only = this.only.value === 'all' ? '' : `&only=${this.only.value}`;
      const from = before?.rows.length ?? 0;
      const next = await this.#api.get<ReportRows>(`runs/${id}/rows?from=${from}&count=${page}${only}`);
      if (id === this.chosen.value)
        this.rows.value = { ...next, from: 0, rows: [...(before?.rows ?? []), ...next.rows] };
    });
  }

  async compare(other: string | null): Promise<void> {
    if (other === null) {
      this.compared.value = null;
      return;
    }
    const asked: Compared = { with: other, comparisons: null, problem: null };
    this.compared.value = asked;
    let came = asked;
    try {
      const query = `first=${this.chosen.value}&second=${other}`;
      const { comparisons } = await this.#api.get<ReportData>(`runs/compare?${query}`);
      came = { ...asked, comparisons };
    } catch (error) {
      came = { ...asked, problem: problemOf(error) };
    }
    // Meanwhile another may have been chosen.
    if (this.compared.value === asked) this.compared.value = came;
  }

  async #fetchReport(id: string): Promise<void> {
    await this.#attempt(async () => {
      const report = await this.#api.get<ReportData>(`runs/${id}/report`);
      if (id === this.chosen.value) this.report.value = report;
    });
    this.rows.value = null;
    await this.more();
  }

  async #watch(id: string): Promise<void> {
    if (this.#watched.has(id)) return;
    this.#watched.add(id);
    let latest = this.runs.value.find(run => run.id === id);
    const show = paced(() => {
      const shown = latest;
      if (shown) this.runs.value = this.runs.value.map(run => (run.id === id ? shown : run));
    });
    try {
      for await (const { event } of this.#api.stream<RunStreamEvent>('GET', `runs/${id}`)) {
        if (event.type === 'run' || event.type === 'ended') latest = event.run;
        else if (event.type === 'progress' && latest) {
          latest = { ...latest, progress: event.progress };
          const { done, total } = event.progress;
          announce(words.peek().evaluate.progress(done, total));
        } else if (event.type === 'failed' && latest) latest = { ...latest, state: 'failed', error: event.error };
        else if (event.type === 'incident' || event.type === 'warning')
          this.messages.value = [...this.messages.value, event.message];
        show(event.type === 'ended');
      }
    } catch (error) {
      this.problem.value = problemOf(error);
    }
    this.#watched.delete(id);
    if (this.chosen.value === id) await this.#fetchReport(id);
    void this.#machine.refresh();
  }

  #request(): RunRequest {
    const { source, file, benchmark, data, modes, limit, out } = this.form.value;
    const model = this.#draft.settings.value.model;
    return {
      ...(model !== null && { model }),
      ...(source === 'file' ? { file: file.trim() } : { benchmark, ...(data !== '' && { data: data.trim() }) }),
      modes,
      ...(limit !== null && { limit }),
      ...(out.trim() !== '' && { out: out.trim() }),
    };
  }

  async #attempt(work: () => Promise<unknown>): Promise<void> {
    this.problem.value = null;
    try {
      await work();
    } catch (error) {
      this.problem.value = problemOf(error);
    }
  }
}
