import { computed, signal } from '@preact/signals';
import type { AskRequest, AskSettings, Question, Reading } from '../../../src/server/meditron/protocol.js';
import { type Api, type Problem, problemOf } from '../api/api.js';
import { contextOf, type Kind, textOf } from './question.js';

/** Characters that may be one question: longer than any model's context. */
const longest = 1_000_000;

/** Milliseconds after the last key until the text is read. */
const pause = 300;

/** What a person corrected in what was read; null is as read. */
export interface Corrections {
  readonly question: string | null;
  readonly options: readonly string[] | null;
  /** Texts that were taken off and are to be part of the question after all. */
  readonly putBack: readonly string[];
}

export interface Settings {
  readonly samples: number | null;
  readonly temperature: number | null;
  readonly seed: number;
  readonly format: string | null;
  readonly protocol: 'strict' | 'paper' | 'authors-code';
  readonly cannotTell: boolean;
  /** The model that is asked, and others that are asked as well. Null: the server's first. */
  readonly model: string | null;
  readonly opinions: readonly string[];
}

const none: Corrections = { question: null, options: null, putBack: [] };

const asItComes: Settings = {
  samples: null,
  temperature: null,
  seed: 0,
  format: null,
  protocol: 'strict',
  cannotTell: false,
  model: null,
  opinions: [],
};

/** A question that is being written, how it was read, and how it is to be asked. */
export class Draft {
  readonly text = signal('');
  /** Null: as read. */
  readonly kind = signal<Kind | null>(null);
  readonly settings = signal<Settings>(asItComes);
  readonly corrections = signal<Corrections>(none);
  /** Which line of what was read is open for a change: an option's place or the question. */
  readonly editing = signal<number | 'question' | null>(null);
  readonly reading = signal<Reading | null>(null);
  readonly problem = signal<Problem | null>(null);
  readonly isExample = signal(false);
  /** Whether what is shown was read from what stands in the box. */
  readonly isRead = computed(() => this.#read.value === this.#toRead());

  /** How it will be answered. */
  readonly effectiveKind = computed<Kind>(() => {
    if (this.kind.value) return this.kind.value;
    const kind = this.reading.value?.question.kind;
    return kind === 'choice' || kind === 'boolean' ? kind : 'free';
  });

  /** What will be asked: as read, with the corrections. Null as long as nothing was read. */
  readonly question = computed<Question | null>(() => {
    const read = this.reading.value?.question;
    if (!read) return null;
    const { question, putBack } = this.corrections.value;
    const text = [question ?? textOf(read), ...putBack].join('\n');
    const given = contextOf(read);
    const context = given.length > 0 ? { context: given } : {};
    const kind = this.effectiveKind.value;
    if (kind === 'choice') return { kind, question: text, options: this.options.value, ...context };
    if (kind === 'boolean') return { kind, question: text, context: given };
    return { kind: 'open', question: text, ...context };
  });

  /** The options as they will be shown to the model, without “I cannot tell”. */
  readonly options = computed<readonly string[]>(() => {
    const read = this.reading.value?.question;
    return this.corrections.value.options ?? (read?.kind === 'choice' ? read.options : []);
  });

  /** Chains of the vote; text in words is asked for once unless more are wanted. */
  readonly samples = computed(() => {
    const isInWords = this.reading.value !== null && this.effectiveKind.value === 'free';
    return this.settings.value.samples ?? (isInWords ? 1 : 5);
  });

  readonly #api: Api;
  readonly #read = signal<string | null>(null);
  #timer: ReturnType<typeof setTimeout> | undefined;
  #reading: AbortController | undefined;

  constructor(api: Api) {
    this.#api = api;
  }

  /** The person has typed. */
  write(text: string): void {
    // What was chosen for one question is not meant for another.
    if (isAnother(this.text.value, text)) this.kind.value = null;
    this.text.value = text;
    this.isExample.value = false;
    clearTimeout(this.#timer);
    if (text.trim() === '') this.#forget();
    else this.#timer = setTimeout(() => void this.read(), pause);
  }

  choose(kind: Kind | null): void {
    this.kind.value = kind;
    void this.read();
  }

  set(change: Partial<Settings>): void {
    this.settings.value = { ...this.settings.value, ...change };
  }

  correct(change: Partial<Corrections>): void {
    this.corrections.value = { ...this.corrections.value, ...change };
  }

  /** Reads what stands in the box; what is shown then is what was read from it. */
  async read(): Promise<void> {
    clearTimeout(this.#timer);
    const toRead = this.#toRead();
    if (toRead === this.#read.value || this.text.value.trim() === '') return;
    this.#reading?.abort();
    if (this.text.value.length > longest) {
      this.#show(null, { message: '', type: 'page', param: null, code: 'ERR_CONTEXT_FULL' }, toRead);
      return;
    }
    const reading = new AbortController();
    this.#reading = reading;
    const { signal } = reading;
    try {
      const body = { text: this.text.value, ...(this.#asOpen() && { as: 'open' }) };
      this.#show(await this.#api.post<Reading>('read', body, signal), null, toRead);
    } catch (error) {
      if (!signal.aborted) this.#show(null, problemOf(error), toRead);
    }
  }

  /** What is sent for a vote. */
  request(id: string): AskRequest {
    const { settings, question: asked } = this;
    const { samples, temperature, seed, format, protocol, model } = settings.value;
    const mode = { choice: 'sc-cot', boolean: 'sc-cot', ranked: 'ranked', free: 'free' }[this.effectiveKind.value];
    const question = asked.value!;
    const options = {
      mode,
      samples: samples ?? this.samples.value,
      ...(temperature !== null && { temperature }),
      seed,
      ...(format !== null && { format }),
      protocol,
      ...(settings.value.cannotTell && question.kind === 'choice' && { abstainOption: true }),
    } as AskSettings;
    return { id, ...(model !== null && { model }), question, ...options };
  }

  #show(reading: Reading | null, problem: Problem | null, of: string): void {
    const before = this.reading.value?.question;
    // A correction stays as long as what it corrects is read as before.
    if (JSON.stringify(before) !== JSON.stringify(reading?.question)) this.corrections.value = none;
    this.editing.value = null;
    this.reading.value = reading;
    this.problem.value = problem;
    this.#read.value = of;
  }

  #forget(): void {
    this.#reading?.abort();
    this.corrections.value = none;
    this.editing.value = null;
    this.reading.value = null;
    this.problem.value = null;
    this.#read.value = null;
  }

  /** Options stay in the text where it is not to be answered by choosing one. */
  #asOpen(): boolean {
    return this.kind.value !== null && this.kind.value !== 'choice';
  }

  #toRead(): string {
    return `${this.#asOpen() ? 'open' : ''}\n${this.text.value}`;
  }
}

/** Whether a text has neither its beginning nor its end from the one before. */
function isAnother(before: string, text: string): boolean {
  const some = 12;
  return !text.startsWith(before.slice(0, some)) && !text.endsWith(before.slice(-some));
}
