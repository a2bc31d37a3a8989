import { computed, effect, signal, untracked } from '@preact/signals';
import type { AskRequest, AskSettings, PanelTold } from '../../../src/server/meditron/protocol.js';
import { announce } from '../announce.js';
import { type Api, type Problem, problemOf } from '../api/api.js';
import { whileRunning } from '../clock.js';
import type { Machine } from '../machine.js';
import { runningAsk } from '../tab.js';
import { words } from '../words/words.js';
import { Draft } from './draft.js';
import { ended } from './progress.js';
import { summaryOf } from './readback.js';
import { Run } from './run.js';

/** Why a click on Ask asks nothing yet. */
export type Hint = 'empty' | 'unread' | 'options';

/** The screen Ask: a question that is written, or one that is asked of one model or several. */
export class AskStore {
  readonly draft: Draft;
  /** The asks of this question: the first model's, then second opinions. Empty while the question is written. */
  readonly runs = signal<readonly Run[]>([]);
  /** What several models come to together, once the last has ended. */
  readonly panel = signal<PanelTold | null>(null);
  readonly panelProblem = signal<Problem | null>(null);
  readonly hint = signal<Hint | null>(null);
  readonly isRunning = computed(() => this.runs.value.some(run => !run.isOver));
  /** Told when an answer is there. */
  onAnswer: ((run: Run) => void) | undefined;
  readonly #api: Api;
  readonly #machine: Machine;

  constructor(api: Api, machine: Machine) {
    this.#api = api;
    this.#machine = machine;
    this.draft = new Draft(api);
    // What a click could not do is said until what it lacked changes.
    effect(() => {
      this.draft.text.value;
      this.draft.corrections.value;
      this.hint.value = null;
    });
    // What was read is seen beside the box; who does not see it is told when it becomes something else.
    effect(() => {
      const summary = summaryOf(this.draft);
      if (summary !== null) announce(summary);
    });
    const ids = runningAsk.get()?.split(' ');
    if (ids) void this.#go(ids.map(id => new Run(api, id)));
  }

  /** Asks what was read back. What has not been shown is shown first. */
  async ask(): Promise<void> {
    const { draft } = this;
    if (this.isRunning.value) return;
    this.hint.value = null;
    if (draft.text.value.trim() === '') {
      this.hint.value = 'empty';
      return;
    }
    if (!draft.isRead.value) {
      await draft.read();
      this.hint.value = draft.question.value ? 'unread' : null;
      return;
    }
    const question = draft.question.value;
    if (!question) return;
    if (question.kind === 'choice' && question.options.filter(text => text.trim() !== '').length < 2) {
      this.hint.value = 'options';
      return;
    }
    const { model, opinions } = draft.settings.value;
    const first = this.#machine.model(model)?.name;
    const others = opinions.filter(name => name !== first);
    const requests = [first, ...others].map(name => ({
      ...draft.request(newId()),
      ...(name !== undefined && { model: name }),
    }));
    await this.#go(requests.map(request => new Run(this.#api, request.id!, request)));
  }

  /** The same question once more, with the next seed. */
  async askAgain(seedBy = 1): Promise<void> {
    const [first] = this.runs.value;
    if (!first || this.isRunning.value) return;
    const asked = first.request;
    const evidence = first.answer.value?.evidence;
    const seed = (asked?.seed ?? evidence?.asked.seed ?? 0) + seedBy;
    this.draft.set({ seed });
    const requests = this.runs.value.flatMap(run => {
      const request = run.request ?? recorded(run);
      return request ? [{ ...request, id: newId(), seed }] : [];
    });
    this.#forget();
    await this.#go(requests.map(request => new Run(this.#api, request.id, request)));
  }

  stop(): void {
    for (const run of this.runs.value) void run.stop();
  }

  /** Back to the box; the text is still in it. */
  change(): void {
    this.#forget();
    const question = this.runs.value[0]?.progress.value.question;
    this.runs.value = [];
    if (this.draft.text.value === '' && question && question.kind !== 'chat') {
      // Found again after a reload: the box was empty.
      const options =
        question.kind === 'choice' ? question.options.map((text, i) => `${String.fromCharCode(65 + i)}. ${text}`) : [];
      this.draft.write([...(question.context ?? []), question.question, '', ...options].join('\n').trim());
    }
  }

  tryExample(): void {
    this.draft.kind.value = null;
    this.draft.write(example);
    this.draft.isExample.value = true;
    void this.draft.read();
  }

  /** The server keeps an answer for a reload: no longer than it is shown. */
  #forget(): void {
    for (const run of this.runs.value) run.forget();
    runningAsk.set(null);
  }

  /** One after the other: together none would be faster. */
  async #go(runs: readonly Run[]): Promise<void> {
    this.runs.value = runs;
    this.panel.value = null;
    this.panelProblem.value = null;
    for (const run of runs) {
      if (!this.runs.value.includes(run)) return;
      if (run.isSkipped.value) continue;
      runningAsk.set(
        runs
          .filter(each => each.resumed || each.hasBegun.value || each === run)
          .map(({ id }) => id)
          .join(' '),
      );
      const quiet = effect(() => this.#announce(run));
      await whileRunning(run.watch());
      quiet();
      if (run.answer.value) this.onAnswer?.(run);
      // A run that is forgotten is not looked for again.
      if (run.resumed && run.problem.value && !run.progress.value.question && this.runs.value.includes(run))
        this.change();
      void this.#machine.refresh();
    }
    if (runs.length > 1 && this.runs.value === runs) await this.#conclude(runs);
  }

  /** The server has the answers still: it says what follows from them, by families. */
  async #conclude(runs: readonly Run[]): Promise<void> {
    const asked = runs.filter(run => !run.isSkipped.value);
    const unasked = runs.flatMap(run => (run.isSkipped.value ? (run.request?.model ?? []) : []));
    try {
      const told = await this.#api.post<PanelTold>('panel', { asks: asked.map(({ id }) => id), unasked });
      if (this.runs.value === runs) this.panel.value = told;
    } catch (error) {
      if (this.runs.value === runs) this.panelProblem.value = problemOf(error);
    }
  }

  #announce(run: Run): void {
    const { plan } = run.progress.value;
    const count = ended(run.progress.value);
    if (plan && count > 0 && !run.answer.value)
      announce(untracked(() => words.value.thinking.spoken(count, plan.samples)));
  }
}

/** What an ask that was found again had been asked with, from its record. */
function recorded(run: Run): AskRequest | undefined {
  const evidence = run.answer.value?.evidence;
  if (!evidence) return undefined;
  const { mode, samples, temperature, protocol } = evidence.asked;
  const { question, format } = evidence;
  const { abstainOption } = evidence.asked.prompt;
  const given = { mode, samples, temperature, protocol, format: format.name, ...(abstainOption && { abstainOption }) };
  const settings = given as AskSettings;
  return { question, ...settings, ...(run.progress.value.model !== null && { model: run.progress.value.model }) };
}

/** A name that nobody can guess: who knows it sees the question and its answer. */
function newId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(24));
  return Array.from(bytes, byte => byte.toString(16).padStart(2, '0')).join('');
}

/** What the model that ships can do: it adds up six clinical scores. In English, as all that it has learned. */
export const example = `A patient has atrial fibrillation: age 77, male, heart failure, no hypertension, no diabetes, previous TIA. What is the patient's CHA2DS2-VASc score?

A. 5
B. 1
C. 4
D. 3`;
