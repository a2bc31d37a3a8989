import { MeditronError } from '../check/errors.js';
import type { Engine } from '../engine/engine.js';
import type { Held } from '../engine/held.js';
import type { SamplingOptions } from '../engine/jobs/sampling.js';
import type { PromptFormat } from '../prompt/format/format.js';
import type { Finding } from '../prompt/hygiene/hygiene.js';
import { buildPrompt } from '../prompt/prompt.js';
import type { Message } from '../prompt/question/question.js';
import type { Finish } from '../types.js';

export interface Answer {
  readonly text: string;
  readonly finish: Finish;
  /** Tokens of the whole conversation up to the answer, and how many of them had to be evaluated for it. */
  readonly promptTokens: number;
  readonly evaluatedTokens: number;
  readonly findings: readonly Finding[];
}

export interface ConversationOptions {
  readonly sampling: SamplingOptions;
  readonly seed: number;
  /** Most tokens of an answer; undefined for what the context has left, at most 512. */
  readonly maxTokens: number | undefined;
  readonly system: string | undefined;
}

/** Room that an answer of unstated length must at least have. */
const leastRoom = 16;

/**
 * A conversation that stays in the key-value cache. Every turn is laid out anew by the format, and only what differs from the
 * tokens in the cache is evaluated: the model sees exactly what the format writes, at the cost of the new text.
 */
export class Conversation {
  #messages: Message[] = [];
  #system: string | undefined;
  #held: { readonly sequence: Held; readonly tokens: Int32Array } | undefined;
  /** Cells the engine keeps for what is held: the room an answer might have taken, too. */
  #reserved = 0;
  #turns = 0;

  constructor(
    private readonly engine: Engine,
    private readonly format: PromptFormat,
    private readonly options: ConversationOptions,
  ) {
    this.#system = options.system;
  }

  get system(): string | undefined {
    return this.#system;
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
    this.clear();
  }

  /**
   * Answers one message. If it fails, the conversation is as it was; if the signal stops it, the answer is what there was.
   *
   * @throws MeditronError `ERR_CONTEXT_FULL` with the numbers; whatever building the prompt or generating throws
   */
  async ask(text: string, signal: AbortSignal, onText: (text: string) => void): Promise<Answer> {
    const messages = [...this.#messages, { role: 'user', content: text } as const];
    const prompt = this.#promptOf(messages);
    const tokens = await this.engine.model.tokenize(prompt.segments, { signal });
    const maxTokens = this.#room(tokens.length);
    const { from, known } = this.#start(tokens, maxTokens);

    const fresh = tokens.subarray(known);
    let answer = '';
    let finish: Finish = 'cancelled';
    try {
      for await (const event of this.engine.generate({
        prompt: fresh,
        from,
        samplers: [this.options.sampling],
        seed: this.options.seed + this.#turns,
        maxTokens,
        stop: prompt.stops.texts,
        hold: true,
        signal,
      })) {
        if (event.type === 'text') {
          answer += event.text;
          onText(event.text);
        } else if (event.type === 'end') {
          finish = event.finish;
          const all = Int32Array.from([...tokens, ...event.tokens]);
          if (event.held) this.#hold(event.held, all, fresh.length + maxTokens); // none if it was stopped
        }
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
    this.#turns++;
    // An answer that cannot be seen cannot be part of a prompt.
    if (answer.trim() !== '') this.#messages = [...messages, { role: 'assistant', content: answer }];
    const findings = prompt.findings.filter(
      ({ where }) => where === `messages[${this.#indexOfLast(messages)}].content`,
    );
    return { text: answer, finish, promptTokens: tokens.length, evaluatedTokens: fresh.length, findings };
  }

  #promptOf(messages: readonly Message[]) {
    const system = this.#system === undefined ? [] : [{ role: 'system', content: this.#system } as const];
    return buildPrompt(this.format, {
      question: { kind: 'chat', messages: [...system, ...messages] },
      mode: 'free',
      protocol: 'strict',
    });
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

  /** What of the prompt is in the cache. If the cells kept for earlier answers leave no room, they are given back first. */
  #start(tokens: Int32Array, maxTokens: number): { from: Held | undefined; known: number } {
    const held = this.#held;
    if (!held) return { from: undefined, known: 0 };
    const known = Math.min(common(tokens, held.tokens), held.sequence.tokenCount, tokens.length - 1);
    const need = tokens.length - known + maxTokens;
    if (known > 0 && this.#reserved + need <= this.engine.settings.contextSize)
      return { from: held.sequence.first(known), known };
    this.#release();
    return { from: undefined, known: 0 };
  }

  #hold(sequence: Held, tokens: Int32Array, cells: number): void {
    this.#held?.sequence.release();
    this.#held = { sequence, tokens };
    this.#reserved += cells;
  }

  #release(): void {
    this.#held?.sequence.release();
    this.#held = undefined;
    this.#reserved = 0;
  }
}

/** How many tokens two lists begin with alike. */
function common(a: Int32Array, b: Int32Array): number {
  const least = Math.min(a.length, b.length);
  for (let i = 0; i < least; i++) if (a[i] !== b[i]) return i;
  return least;
}
