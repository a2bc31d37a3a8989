import { commonLength, commonTokens } from '../answerer/beginning.js';
import type { Beginning } from '../answerer/engine.js';
import { bosOf, vocabularyWarnings } from '../ask/prompts.js';
import { EngineDied } from '../check/died.js';
import { MeditronError } from '../check/errors.js';
import { fits, jobNeed, rest } from '../engine/capacity/need.js';
import type { Engine } from '../engine/engine.js';
import type { Held } from '../engine/held.js';
import type { SampleEnd } from '../engine/jobs/generation.js';
import type { SamplingOptions } from '../engine/jobs/sampling.js';
import type { ModelFacts } from '../models/registry.js';
import { beyondTraining } from '../models/trained.js';
import type { PromptFormat } from '../prompt/format/format.js';
import type { Finding } from '../prompt/hygiene/hygiene.js';
import { buildPrompt, type Prompt } from '../prompt/prompt.js';
import type { Message } from '../prompt/question/question.js';
import { textOf } from '../prompt/segment.js';
import type { Finish, Segment } from '../types.js';
import { type JobTimings, Stopwatch } from './timings.js';

export interface Answer {
  readonly text: string;
  readonly finish: Finish;
  /** Tokens of the whole conversation up to the answer, and how many of them had to be evaluated for it. */
  readonly promptTokens: number;
  readonly evaluatedTokens: number;
  readonly findings: readonly Finding[];
  readonly timings: JobTimings;
  readonly warnings: readonly string[];
}

export interface ConversationOptions {
  readonly sampling: SamplingOptions;
  readonly seed: number;
  /** Most tokens of an answer; undefined for what the context has left, at most 512. */
  readonly maxTokens: number | undefined;
  readonly system: string | undefined;
  /** What is published of the model; null if it is not known which it is. */
  readonly facts: ModelFacts | null;
}

/** Room that an answer of unstated length must at least have. */
const leastRoom = 16;

/** What is in the cache, as tokens and as the text they stand for. */
interface Cached {
  readonly sequence: Held;
  readonly tokens: Int32Array;
  readonly text: string;
  /** How many of the tokens are the prompt's, and how long its text is; behind them stands the answer. */
  readonly prompt: { readonly tokens: number; readonly length: number };
}

/**
 * A conversation that stays in the key-value cache. Every turn is laid out anew by the format; as far as its text is what the
 * cache holds, the tokens there are used, and only what comes behind is evaluated.
 */
export class Conversation implements AsyncDisposable {
  #messages: Message[] = [];
  #system: string | undefined;
  #held: Cached | undefined;
  #beginning: Beginning | undefined;
  #turns = 0;

  constructor(
    private engine: Engine,
    private readonly format: PromptFormat,
    private readonly options: ConversationOptions,
  ) {
    this.#system = options.system;
  }

  get system(): string | undefined {
    return this.#system;
  }

  /** The model that answers. */
  get model(): Engine['model'] {
    return this.engine.model;
  }

  /** Goes on with another engine, and closes the one before. */
  async moveTo(engine: Engine): Promise<void> {
    const before = this.engine;
    this.#releaseAll();
    this.engine = engine;
    await before.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#releaseAll();
    await this.engine.close();
  }

  /** What the model's vocabulary lacks of the format. */
  warnings(): Promise<string[]> {
    return vocabularyWarnings(this.engine.model, this.#promptOf([{ role: 'user', content: 'x' }]));
  }

  /** The tokens that every conversation with this system text begins with. */
  async common(): Promise<Int32Array> {
    const saying = (content: string) => this.#tokenized(this.#promptOf([{ role: 'user', content }]));
    const prompts = await Promise.all(['0', 'Z'].map(saying));
    return prompts[0]!.slice(0, Math.max(0, commonTokens(prompts)));
  }

  /** Takes over an evaluated beginning: conversations start from it as long as the system text is the same. */
  begin(beginning: Beginning): void {
    this.#releaseAll();
    this.#beginning = beginning;
  }

  /** Forgets everything said. */
  clear(): void {
    this.#messages = [];
    this.#release();
  }

  /** Sets the system text, or takes it away; the conversation begins again. */
  setSystem(text: string | undefined): void {
    if (text !== undefined && !this.format.accepts.system)
      throw new MeditronError('ERR_OPTION', `The ${this.format.name} format has no system turn`);
    this.#system = text;
    this.#messages = [];
    this.#releaseAll();
  }

  /**
   * Answers one message. If it fails, the conversation is as it was; if the signal stops it, the answer is what there was.
   *
   * @throws MeditronError `ERR_CONTEXT_FULL` with the numbers; whatever building the prompt or generating throws
   */
  async ask(text: string, signal: AbortSignal, onText: (text: string) => void): Promise<Answer> {
    const held = this.#held !== undefined || this.#beginning !== undefined;
    try {
      return await this.#ask(text, signal, onText);
    } catch (error) {
      if (!(error instanceof EngineDied)) throw error;
      this.#releaseAll(); // it was in the process that died
      if (!held || error.death.phase !== 'idle') throw error;
      return this.#ask(text, signal, onText); // the process died while nothing was asked: all is evaluated again
    }
  }

  async #ask(text: string, signal: AbortSignal, onText: (text: string) => void): Promise<Answer> {
    const messages = [...this.#messages, { role: 'user', content: text } as const];
    const prompt = this.#promptOf(messages);
    const tokens = await this.#tokensOf(prompt, signal);
    const maxTokens = this.#room(tokens.length);
    const warnings = beyondTraining(this.options.facts, 'The conversation', tokens.length, maxTokens);
    const { from, known } = this.#start(tokens, maxTokens);

    const fresh = tokens.subarray(known);
    let answer = '';
    let finish: Finish = 'cancelled';
    const stopwatch = new Stopwatch(this.engine);
    const events = this.engine.generate({
      prompt: fresh,
      from,
      samplers: [this.options.sampling],
      seed: this.options.seed + this.#turns,
      maxTokens,
      stop: prompt.stops.texts,
      hold: true,
      signal,
    });
    try {
      for await (const event of stopwatch.watch(events, 1)) {
        if (event.type === 'text') {
          answer += event.text;
          onText(event.text);
        } else if (event.type === 'end') {
          finish = event.finish;
          if (event.held) await this.#hold(event.held, prompt.segments, tokens, event); // none if it was stopped
        }
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
    this.#turns++;
    // An answer that cannot be seen cannot be part of a prompt.
    if (answer.trim() !== '')
      this.#messages = [...messages, this.#asSaid(messages, `${textOf(prompt.segments)}${answer}`, answer)];
    const findings = prompt.findings.filter(
      ({ where }) => where === `messages[${this.#indexOfLast(messages)}].content`,
    );
    const counts = { promptTokens: tokens.length, evaluatedTokens: fresh.length };
    return { text: answer, finish, ...counts, findings, timings: stopwatch.timings(), warnings };
  }

  /**
   * The tokens of a prompt: those in the cache, and new ones for the text behind. What was sampled may be cut into other tokens
   * than the same text is when it is tokenized, and would be evaluated again.
   */
  async #tokensOf(prompt: Prompt, signal: AbortSignal): Promise<Int32Array> {
    const { segments } = prompt;
    const { model } = this.engine;
    const held = await this.#heldIn(textOf(segments));
    if (!held) return this.#tokenized(prompt, signal);
    const last = held.tokens.at(-1)!;
    const inside = !model.info.specials.includes(last);
    const more = await model.tokenize(behind(segments, held.text.length), { bos: 'never', inside, signal });
    return Int32Array.from([...held.tokens, ...more]);
  }

  /** What of the cache a text begins with: all of it, or less the white space that ended an answer, where a format takes it away. */
  async #heldIn(text: string): Promise<Pick<Cached, 'tokens' | 'text'> | undefined> {
    const held = this.#held;
    if (!held || text.startsWith(held.text)) return held;
    if (!text.startsWith(held.text.trimEnd())) return undefined;
    const asked = held.text.slice(0, held.prompt.length);
    for (let length = held.tokens.length - 1; length > held.prompt.tokens; length--) {
      const tokens = held.tokens.slice(0, length);
      const said = asked + (await this.engine.model.detokenize(tokens.subarray(held.prompt.tokens)));
      if (text.startsWith(said)) return { tokens, text: said };
      if (said.length < held.text.trimEnd().length) return undefined;
    }
    return undefined;
  }

  #tokenized(prompt: Prompt, signal?: AbortSignal): Promise<Int32Array> {
    const { model } = this.engine;
    return model.tokenize(prompt.segments, { bos: bosOf('auto', prompt, model), signal });
  }

  #promptOf(messages: readonly Message[]) {
    const system = this.#system === undefined ? [] : [{ role: 'system', content: this.#system } as const];
    return buildPrompt(this.format, {
      question: { kind: 'chat', messages: [...system, ...messages] },
      mode: 'free',
      protocol: 'strict',
    });
  }

  /**
   * An answer as the message that the format writes as it was said, behind the same prompt. Some formats end a prompt before the
   * blank that stands between a role and its text: it is the model that says the blank then, and it must not be written twice.
   */
  #asSaid(messages: readonly Message[], said: string, answer: string): Message {
    const candidates = [answer, answer.trimStart()].map(content => ({ role: 'assistant', content }) as const);
    return (
      candidates.find(message => textOf(this.#promptOf([...messages, message]).segments).startsWith(said)) ??
      candidates[0]!
    );
  }

  #indexOfLast(messages: readonly Message[]): number {
    return messages.length - 1 + (this.#system === undefined ? 0 : 1);
  }

  #room(promptTokens: number): number {
    const size = this.engine.settings.sequenceSize;
    const { maxTokens } = this.options;
    const room = size - promptTokens;
    if (room >= (maxTokens ?? leastRoom)) return maxTokens ?? Math.min(512, room);
    throw new MeditronError(
      'ERR_CONTEXT_FULL',
      `The conversation has ${promptTokens} tokens with this message, and ${maxTokens ?? `at least ${leastRoom}`} are wanted for the answer; ` +
        `the context has ${size}. Begin anew with /clear, or send a shorter message; nothing is cut silently.`,
    );
  }

  /**
   * What of the prompt is in the cache: of the conversation so far, or of its beginning. If the cells kept for either leave no room, they are
   * given back first.
   */
  #start(tokens: Int32Array, maxTokens: number): { from: Held | undefined; known: number } {
    const said = this.#held && this.#startFrom(this.#held, tokens, maxTokens);
    if (said) return said;
    this.#release();
    const begun = this.#beginning;
    const start = begun && this.#startFrom({ sequence: begun.held, tokens: begun.tokens }, tokens, maxTokens);
    if (start) return start;
    this.#releaseAll();
    return { from: undefined, known: 0 };
  }

  #startFrom(
    { sequence, tokens: cached }: Pick<Cached, 'sequence' | 'tokens'>,
    tokens: Int32Array,
    maxTokens: number,
  ): { from: Held; known: number } | undefined {
    const known = Math.min(commonLength(tokens, cached), sequence.tokenCount, tokens.length - 1);
    if (known === 0) return undefined;
    const from = sequence.first(known);
    const { maxSequences: sequences, contextSize: cells } = this.engine.settings;
    const need = jobNeed({ promptTokens: tokens.length - known, branchCells: [maxTokens], pending: from.pending });
    // What was said continues the beginning, whose cells count as its own.
    const held = (this.#held ? 1 : 0) + (this.#beginning ? 1 : 0);
    return fits(need, rest({ sequences, cells }, { sequences: held, cells: sequence.cells }))
      ? { from, known }
      : undefined;
  }

  /** Keeps a sample's sequence: the prompt, and the tokens of the answer that lie before a stop text or an end token. */
  async #hold(
    sequence: Held,
    segments: readonly Segment[],
    prompt: Int32Array,
    { tokens, textTokens, text }: SampleEnd,
  ): Promise<void> {
    this.#held?.sequence.release();
    const said = tokens.subarray(0, textTokens);
    const spelt = await this.engine.model.detokenize(said);
    // The blank that begins a text is left out where tokens are spelt.
    const found = [spelt, ` ${spelt}`].find(spelling => text.startsWith(spelling)) ?? '';
    const kept = found === '' ? said.subarray(0, 0) : said;
    const asked = textOf(segments);
    this.#held = {
      sequence,
      tokens: Int32Array.from([...prompt, ...kept]),
      text: asked + found,
      prompt: { tokens: prompt.length, length: asked.length },
    };
  }

  #release(): void {
    this.#held?.sequence.release();
    this.#held = undefined;
  }

  #releaseAll(): void {
    this.#release();
    this.#beginning?.held.release();
    this.#beginning = undefined;
  }
}

/** The segments without the first `length` characters of their text. */
function behind(segments: readonly Segment[], length: number): Segment[] {
  let before = length;
  return segments.flatMap(segment => {
    const text = segment.text.slice(before);
    before = Math.max(0, before - segment.text.length);
    return text === '' ? [] : [{ ...segment, text }];
  });
}
