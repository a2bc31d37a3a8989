import type { AskEngine, AskModel } from '../ask/surface.js';
import { MeditronError } from '../check/errors.js';
import { Held } from '../engine/held.js';
import type { GenerateEvent, SampleEnd } from '../engine/jobs/generation.js';
import type { GenerateOptions, Prompt, ScoreOptions } from '../engine/jobs/options.js';
import type { SamplingOptions } from '../engine/jobs/sampling.js';
import type { Score } from '../engine/jobs/scoring.js';
import type { Segment } from '../types.js';
import type { JsonClient } from './http.js';
import { type Choice, readChoice, readReply, type TopLogprobs } from './openai.js';

/** Lays out messages so that they can be taken apart again; the marks are tokens that text from outside cannot spell. */
export const chatTemplate = '{% for message in messages %}<|role:{{ message.role }}|>{{ message.content }}{% endfor %}';

/** Text, as far as the formats write it, that servers read as one token. */
const specials = [
  '<|role:system|>',
  '<|role:user|>',
  '<|role:assistant|>',
  '<|im_start|>',
  '<|im_end|>',
  '<|start_header_id|>',
  '<|end_header_id|>',
  '<|eot_id|>',
  '<|begin_of_text|>',
  '<EOD>',
  '<PAD>',
  '<s>',
  '</s>',
] as const;
const specialPattern = /(<\|[a-z_:]+\|>|<EOD>|<PAD>|<\/?s>)/;
const firstSpecial = 0x200000;
/** Alternatives asked for beside the most probable token; the older interface of OpenAI itself gives five. */
const alternatives = [20, 5] as const;
const unlimited = 1 << 30;

/**
 * An engine that asks a server. Its tokens are UTF-16 units of the prompt, and ids beyond them for special tokens, so that
 * prompts can be shared, continued and sent as text; counts of tokens are the server's own.
 */
export class EndpointEngine implements AskEngine {
  readonly counters = { steps: 0, promptTokens: 0, sampledTokens: 0 };
  readonly settings: AskEngine['settings'] = {
    contextSize: unlimited,
    sequenceSize: unlimited,
    batchSize: 1,
    maxSequences: 256,
    threads: 1,
    kvType: 'f16',
    flashAttention: 'auto',
    loras: [],
    warnings: [],
  };
  readonly model: AskModel;
  readonly #held = new Map<number, string>();
  readonly #promptTokens = new Map<string, number>();
  #nextHeld = 0;
  #withLogprobs = true;
  #alternatives: number = alternatives[0];

  constructor(
    private readonly client: JsonClient,
    private readonly url: URL,
    private readonly name: string,
  ) {
    const ids = Int32Array.from(specials, (_, i) => firstSpecial + i);
    this.model = {
      info: {
        path: name,
        name,
        architecture: null,
        chatTemplate,
        sizeBytes: 0,
        quantization: { name: 'unknown', tensors: {} },
        contextLength: null,
        specialTokens: {},
        specials: ids,
        ends: ids,
        files: [],
        loadMode: 'read',
        gpuLayers: 1, // whatever runs there is not slowed down by a fifth sample
        devices: [],
      },
      tokenize: async prompt => tokensOf(prompt),
      continuation: async (_, text) => tokensOf(text),
    };
  }

  /** The server's count of a prompt that was sent, told once. */
  promptTokens(tokens: readonly number[]): number | undefined {
    const text = textOf(tokens);
    const count = this.#promptTokens.get(text);
    this.#promptTokens.delete(text);
    return count;
  }

  async *generate(options: GenerateOptions): AsyncGenerator<GenerateEvent, void, void> {
    const prompt = this.#textFor(options);
    const cancel = new AbortController();
    const signal = options.signal ? AbortSignal.any([options.signal, cancel.signal]) : cancel.signal;
    const length = tokensOf(options.prompt).length;
    yield { type: 'prompt', done: length, total: length };
    const before = (options.from?.tokenCount ?? 0) + length;
    const running = new Map(
      (options.samplers ?? [{}]).map((sampler, sample) => [
        sample,
        this.#sample(prompt, sampler, options, signal).then(choice => ({ sample, choice })),
      ]),
    );
    for (const pending of running.values()) pending.catch(() => {}); // looked at below, or not wanted any more
    try {
      while (running.size > 0) {
        const { sample, choice } = await Promise.race(running.values());
        running.delete(sample);
        this.counters.sampledTokens += choice.tokens;
        if (choice.text !== '') yield { type: 'text', sample, text: choice.text };
        yield this.#end(sample, choice, options.hold ? { prompt, before } : undefined);
      }
    } finally {
      cancel.abort();
    }
  }

  async score(options: ScoreOptions): Promise<Score[]> {
    const prompt = this.#textFor(options);
    const found = await this.#alternativesAfter(prompt, options.signal);
    const texts = options.continuations.map(given => (typeof given === 'string' ? given : textOf(given)).trim());
    const logprobs = texts.map(text => logprobOf(text, texts, found));
    if (logprobs.every(logprob => logprob === -Infinity)) {
      const message = `None of the answers is among the ${found.length} most probable tokens that ${this.url.origin} tells of`;
      throw new MeditronError('ERR_INPUT', message);
    }
    return logprobs.map((logprob, i) => ({ logprob, tokens: tokensOf(texts[i]!), logprobs: Float32Array.of(logprob) }));
  }

  async prefix(prompt: Prompt, options: { from?: Held } = {}): Promise<Held> {
    const text = this.#textFor({ prompt, from: options.from });
    return this.#hold(text, (options.from?.tokenCount ?? 0) + tokensOf(prompt).length);
  }

  async #sample(
    prompt: string,
    sampler: SamplingOptions,
    options: GenerateOptions,
    signal: AbortSignal,
  ): Promise<Choice> {
    const { temperature, topP, topK, frequencyPenalty, seed } = sampler;
    const body = {
      max_tokens: options.maxTokens,
      temperature,
      ...(topP !== undefined && topP < 1 && { top_p: topP }),
      ...(topK && { top_k: topK }), // not OpenAI's, but of the servers that run open weights
      ...(frequencyPenalty && { frequency_penalty: frequencyPenalty }),
      seed,
      ...(options.stop && options.stop.length > 0 && { stop: options.stop.slice(0, 4) }),
    };
    return this.#ask(prompt, body, 1, signal);
  }

  async #alternativesAfter(prompt: string, signal: AbortSignal | undefined): Promise<TopLogprobs> {
    const { top } = await this.#ask(prompt, { max_tokens: 1, temperature: 0 }, this.#alternatives, signal);
    if (top.length > 0) return top;
    const message = `${this.url.origin} tells no probabilities, which mode top-token under strict compares; use cot or sc-cot, or protocol paper`;
    throw new MeditronError('ERR_OPTION', message);
  }

  /** One completion. `alternatives` beyond one are asked for where mode top-token needs them. */
  async #ask(prompt: string, settings: object, wanted: number, signal: AbortSignal | undefined): Promise<Choice> {
    const messages = messagesIn(prompt);
    const logprobs = !this.#withLogprobs
      ? {}
      : messages
        ? { logprobs: true, ...(wanted > 1 && { top_logprobs: wanted }) }
        : { logprobs: wanted };
    const body = { model: this.name, ...(messages ? { messages } : { prompt }), ...settings, ...logprobs };
    const path = messages ? 'chat/completions' : 'completions';
    const { status, body: reply } = await this.client.send('POST', new URL(path, this.url), body, signal);
    const { choice, promptTokens, error } = readReply(reply);
    if (status >= 400 || !choice)
      return this.#refused(status, error ?? 'no choices in the reply', { prompt, settings, wanted, signal });
    if (promptTokens !== undefined) {
      this.counters.promptTokens += promptTokens;
      this.#promptTokens.set(prompt, promptTokens);
    }
    return readChoice(choice);
  }

  async #refused(
    status: number,
    message: string,
    again: { prompt: string; settings: object; wanted: number; signal: AbortSignal | undefined },
  ): Promise<Choice> {
    if (/logprob/i.test(message)) {
      if (again.wanted > alternatives[1]) {
        this.#alternatives = alternatives[1];
        return this.#ask(again.prompt, again.settings, alternatives[1], again.signal);
      }
      if (again.wanted === 1 && this.#withLogprobs) {
        this.#withLogprobs = false;
        return this.#ask(again.prompt, again.settings, 1, again.signal);
      }
    }
    if (/context (length|size|window)|maximum context|too (long|many tokens)|exceed/i.test(message))
      throw new MeditronError('ERR_CONTEXT_FULL', `${this.url.origin}: ${message}`);
    throw new MeditronError('ERR_OPTION', `${this.url.origin} refuses the request (status ${status}): ${message}`);
  }

  #end(sample: number, choice: Choice, hold: { prompt: string; before: number } | undefined): SampleEnd {
    const { text, tokens, logprob, finish } = choice;
    return {
      type: 'end',
      sample,
      finish,
      text,
      tokens: new Int32Array(tokens), // their ids are the server's own
      textTokens: tokens,
      logprobs: Float32Array.of(logprob),
      stop: undefined,
      held: hold && !messagesIn(hold.prompt) ? this.#hold(hold.prompt + text, hold.before + tokens) : undefined,
    };
  }

  #hold(text: string, tokenCount: number): Held {
    const id = this.#nextHeld++;
    this.#held.set(id, text);
    return new Held(this, id, tokenCount, () => this.#held.delete(id));
  }

  #textFor({ prompt, from }: { readonly prompt: Prompt; readonly from?: Held | undefined }): string {
    const before = from ? (this.#held.get(from.sequence) ?? '') : '';
    return before + textOf(tokensOf(prompt));
  }
}

/** Special tokens are looked for in what formats write; text from outside that spells one is kept from being one. */
function tokensOf(prompt: Prompt): Int32Array {
  if (prompt instanceof Int32Array) return prompt;
  const segments: readonly Segment[] = typeof prompt === 'string' ? [{ text: prompt, template: false }] : prompt;
  const tokens: number[] = [];
  for (const { text, template } of segments) {
    const pieces = template
      ? text.split(specialPattern)
      : [text.replace(new RegExp(specialPattern, 'g'), spelled => `< ${spelled.slice(1)}`)];
    for (const piece of pieces) {
      const special = template ? (specials as readonly string[]).indexOf(piece) : -1;
      if (special >= 0) tokens.push(firstSpecial + special);
      else for (let i = 0; i < piece.length; i++) tokens.push(piece.charCodeAt(i));
    }
  }
  return Int32Array.from(tokens);
}

/** The prompt as it is sent. Marks of roles become private signs, which {@link messagesIn} takes apart. */
function textOf(tokens: ArrayLike<number>): string {
  let text = '';
  for (let i = 0; i < tokens.length; i++) {
    const id = tokens[i]!;
    if (id < firstSpecial) text += String.fromCharCode(id);
    else text += id < firstSpecial + 3 ? `${roleMark}${id - firstSpecial}` : specials[id - firstSpecial];
  }
  return text;
}

/** A lone surrogate: cleaned questions cannot hold one. */
const roleMark = '\udfff';
const roles = ['system', 'user', 'assistant'] as const;

function messagesIn(prompt: string): { role: string; content: string }[] | undefined {
  if (!prompt.startsWith(roleMark)) return undefined;
  return prompt
    .split(roleMark)
    .slice(1)
    .map(part => ({ role: roles[Number(part[0])]!, content: part.slice(1) }));
}

/** The most probable token that is the answer, or how a longer one begins. */
function logprobOf(text: string, all: readonly string[], found: TopLogprobs): number {
  const exact = found.filter(({ token }) => token.trim() === text);
  const begins = found.filter(({ token }) => {
    const start = token.trim();
    return start.length >= 2 && text.startsWith(start) && all.filter(other => other.startsWith(start)).length === 1;
  });
  const matching = exact.length > 0 ? exact : begins;
  return Math.max(-Infinity, ...matching.map(({ logprob }) => logprob));
}
