// The engine's side of the app. Nothing of Electron is imported here, so that it can be tested without.
import { basename } from 'node:path';
import {
  type Answer,
  askStream,
  type Death,
  loadModel,
  MeditronError,
  type Model,
  type Question,
  readQuestionText,
  roomFor,
} from 'meditron';
import { AppError } from './failure.js';
import { Mailbox } from './mailbox.js';
import {
  type Asked,
  type AskRequest,
  type ModelFacts,
  mostCharacters,
  mostSamples,
  type Shown,
  type Step,
} from './shared.js';

export interface AssistantOptions {
  /** A GGUF file. */
  readonly modelPath: string;
  /** A plain Node, which runs the engine in a process of its own. */
  readonly nodePath: string;
  /** Told whenever that process has died; the app goes on, and so does the engine with the next question. */
  readonly onDeath?: (death: Death) => void;
}

/** Whoever asks; one question at a time each. In the app a window's contents. */
export type Page = object;

/** One model for all pages. Their questions are answered one after the other: each has the whole machine, and together none would be faster. */
export class Assistant {
  readonly #options: AssistantOptions;
  readonly #asking = new Map<Page, Asking>();
  #model: Promise<Model> | undefined;
  /** Settles when the questions before are answered. */
  #queue: Promise<void> = Promise.resolve();
  #closed: Promise<void> | undefined;

  constructor(options: AssistantOptions) {
    this.#options = options;
  }

  /** Loads the model, once. What could not be loaded is tried again when somebody asks again. */
  async model(): Promise<ModelFacts> {
    const { info } = await this.#load();
    return {
      name: info.name ?? basename(info.path),
      devices: info.devices.map(device => device.description || device.name),
      warnings: [...info.warnings],
    };
  }

  /** Reads a question and begins with it; {@link next} tells how it goes on. */
  ask(page: Page, request: unknown): Asked {
    const { text, samples } = checkRequest(request);
    if (this.#closed) throw new AppError('APP_REFUSED', 'The app is closing.');
    if (this.#asking.has(page))
      throw new AppError('APP_BUSY', 'A question is being answered in this window. Stop it first.');
    const { question, findings } = readQuestionText(text);
    const asking = new Asking();
    this.#asking.set(page, asking);
    const before = this.#queue;
    this.#queue = asking.run(before, () => this.#load(), question, samples).then(failed => this.#forget(failed));
    return {
      question: question.kind === 'chat' ? '' : question.question,
      options: optionsOf(question),
      findings: findings.map(({ line, message }) => (line === undefined ? message : `line ${line}: ${message}`)),
      samples,
    };
  }

  /** What has happened since; waits until something has. After the answer, or an error, the page may ask again. */
  async next(page: Page): Promise<Step> {
    const asking = this.#asking.get(page);
    if (!asking) throw new AppError('APP_REQUEST', 'Nothing is being answered in this window.');
    let over = true;
    try {
      const step = await asking.mailbox.take();
      over = step.answer !== null;
      return step;
    } finally {
      if (over && this.#asking.get(page) === asking) this.#asking.delete(page);
    }
  }

  /** Closes the vote of a page's question; its answer is what there is. */
  stop(page: Page): void {
    this.#asking.get(page)?.stop();
  }

  /** The page is gone, or another document is in its window: what it asked is dropped, and what was held for it let go. */
  leave(page: Page): void {
    this.stop(page);
    this.#asking.delete(page);
  }

  /** Ends everything, the engine's process included. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    for (const page of [...this.#asking.keys()]) this.leave(page);
    const model = await this.#model?.catch(() => undefined);
    await this.#queue;
    await model?.close();
  }

  #load(): Promise<Model> {
    const { modelPath, nodePath, onDeath } = this.#options;
    this.#model ??= loadModel({ path: modelPath, isolate: { execPath: nodePath, onDeath } }).catch(error => {
      this.#model = undefined;
      throw error;
    });
    return this.#model;
  }

  /** After many deaths in a row a model is not started any more: it is loaded anew for the next question. */
  async #forget(failed: unknown): Promise<void> {
    if (!(failed instanceof MeditronError && failed.code === 'ERR_ENGINE_DOWN')) return;
    const model = this.#model;
    this.#model = undefined;
    await (await model?.catch(() => undefined))?.close();
  }
}

/** One question on its way to an answer. */
class Asking {
  readonly mailbox = new Mailbox();
  readonly #stopped = new AbortController();

  stop(): void {
    this.#stopped.abort(new MeditronError('ERR_ABORTED', 'Stopped before anything was computed.'));
  }

  /** Never rejects: the answer, or what was thrown, lies in the mailbox, and what was thrown is returned. */
  async run(before: Promise<void>, load: () => Promise<Model>, question: Question, samples: number): Promise<unknown> {
    try {
      this.mailbox.put({ type: 'waiting' });
      await before;
      this.mailbox.end({ answer: await this.#answer(load, question, samples) });
      return undefined;
    } catch (error) {
      this.mailbox.end({ error });
      return error;
    }
  }

  async #answer(load: () => Promise<Model>, question: Question, samples: number): Promise<Shown> {
    const { signal } = this.#stopped;
    signal.throwIfAborted();
    const model = await load();
    this.mailbox.put({ type: 'begun' });
    const options = { samples, signal };
    const engine = await model.createEngine(await roomFor(model, question, options));
    try {
      const stream = askStream(engine, question, options);
      for (;;) {
        const { done, value } = await stream.next();
        if (done) return shown(value);
        if (value.type !== 'plan') this.mailbox.put(value);
      }
    } finally {
      await engine.close();
    }
  }
}

function shown(answer: Answer): Shown {
  const { decision, reason, summary, votes, rationale, dissent, warnings, notice } = answer;
  const samples = answer.samples.map(({ index, text, answer, forced, conflict, finish }) => ({
    index,
    text,
    answer,
    forced,
    conflict,
    finish,
  }));
  return { answer: answer.answer, decision, reason, summary, votes, rationale, dissent, warnings, notice, samples };
}

function optionsOf(question: Question): Asked['options'] {
  if (question.kind === 'boolean') return ['yes', 'no', 'maybe'].map(label => ({ label, text: '' }));
  if (question.kind !== 'choice') return [];
  return question.options.map((text, i) => ({ label: String.fromCharCode(65 + i), text }));
}

/** What comes from a page is data from outside, whatever its type says. */
function checkRequest(request: unknown): AskRequest {
  const { text, samples, ...rest } = Object(request) as Record<string, unknown>;
  if (typeof text !== 'string' || text.trim() === '' || text.length > mostCharacters)
    throw new AppError('APP_REQUEST', `Expected a question of 1 to ${mostCharacters} characters.`);
  if (
    typeof samples !== 'number' ||
    !Number.isInteger(samples) ||
    samples < 1 ||
    samples > mostSamples ||
    samples % 2 === 0
  )
    throw new AppError('APP_REQUEST', `Expected an odd number of samples from 1 to ${mostSamples}.`);
  if (Object.keys(rest).length > 0)
    throw new AppError('APP_REQUEST', 'Expected a question and a number of samples, nothing else.');
  return { text, samples };
}
