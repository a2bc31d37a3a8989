import { setMaxListeners } from 'node:events';
import type {
  After,
  Answerer,
  Choice as Compared,
  CompleteOptions,
  CompletionEvent,
  Description,
  Fit,
  Request,
  Session,
} from '../answerer/answerer.js';
import { MeditronError } from '../check/errors.js';
import { planWaves } from '../vote/count/stopping.js';
import { excerpt, type JsonClient } from './http.js';
import { type Choice, readChoice, readReply, type TopLogprobs } from './openai.js';
import { chatTemplate, promptAsSent, type SentPrompt } from './prompt.js';

/** Alternatives asked for beside the most probable token; the older interface of OpenAI itself gives five. */
const alternatives = [20, 5] as const;

/** Whatever special token a format is made of, the server is trusted to have it. */
const anyToken = 0;

/** An answerer that asks a server: prompts go out as text or messages, and counts of tokens are the server's own. */
export class EndpointAnswerer implements Answerer {
  readonly counters = { steps: 0, promptTokens: 0, sampledTokens: 0 };
  readonly model: Answerer['model'];
  #withLogprobs = true;
  #alternatives: number = alternatives[0];

  constructor(
    private readonly client: JsonClient,
    private readonly url: URL,
    private readonly name: string,
  ) {
    this.model = {
      info: {
        path: name,
        name,
        architecture: null,
        chatTemplate,
        specialTokens: {},
        ends: [anyToken],
        files: [],
      },
      special: async () => anyToken,
    };
  }

  describe(): Description {
    const { name } = this;
    return {
      model: {
        path: name,
        file: name,
        sizeBytes: 0,
        name,
        architecture: null,
        quantization: 'unknown',
        loadMode: 'read',
        gpuLayers: 0,
      },
      machine: { platform: this.url.origin, arch: 'unknown', node: process.version, devices: [], cpuVariant: null },
      llama: null,
      engine: null,
    };
  }

  async fit(request: Request): Promise<Fit> {
    const prompts = request.prompts.map(({ segments }) => promptAsSent(segments));
    const { samples, width, maxTokens } = request;
    const broken = [...new Set(prompts.flatMap(prompt => prompt.broken))];
    return {
      waves: samples.length === 0 ? [1] : planWaves(samples.length, Math.min(samples.length, width ?? samples.length)),
      maxTokens,
      promptTokens: null,
      tokens: prompts.map(() => null),
      warnings:
        broken.length === 0
          ? []
          : [`The question spells what may be special tokens; ${broken.length} of them are sent with a space inside`],
      begin: async () => new EndpointSession(this, request, prompts),
    };
  }

  /** @internal One completion. `wanted` alternatives of the first token beyond one are asked for where answers are compared. */
  async ask(
    prompt: Pick<SentPrompt, 'text' | 'messages'>,
    settings: object,
    wanted: number,
    signal: AbortSignal,
  ): Promise<Choice & { readonly promptTokens: number | undefined }> {
    const { messages, text } = prompt;
    const logprobs = !this.#withLogprobs
      ? {}
      : messages
        ? { logprobs: true, ...(wanted > 1 && { top_logprobs: wanted }) }
        : { logprobs: wanted };
    const body = { model: this.name, ...(messages ? { messages } : { prompt: text }), ...settings, ...logprobs };
    const path = messages ? 'chat/completions' : 'completions';
    const { status, body: reply } = await this.client.send('POST', new URL(path, this.url), body, signal);
    const { choice, promptTokens, error } = readReply(reply);
    if (status < 400 && choice) {
      this.counters.promptTokens += promptTokens ?? 0;
      return { ...readChoice(choice), promptTokens };
    }
    const fewer = this.#fewer(error ?? '', wanted);
    if (fewer !== undefined) return this.ask(prompt, settings, fewer, signal);
    throw this.#refusal(status, error ?? 'no choices in the reply', body);
  }

  /** @internal The first tokens that might follow a prompt; none if the server tells no probabilities. */
  async alternativesAfter(prompt: Pick<SentPrompt, 'text' | 'messages'>, signal: AbortSignal) {
    return this.ask(prompt, { max_tokens: 1, temperature: 0 }, this.#alternatives, signal);
  }

  /** @internal Where the server is, for messages. */
  get origin(): string {
    return this.url.origin;
  }

  /** What to ask for after a refusal of log-probabilities; undefined if that was not the reason. */
  #fewer(message: string, wanted: number): number | undefined {
    if (!/logprob/i.test(message)) return undefined;
    if (wanted > alternatives[1]) {
      this.#alternatives = alternatives[1];
      return alternatives[1];
    }
    if (wanted !== 1 || !this.#withLogprobs) return undefined;
    this.#withLogprobs = false;
    return 1;
  }

  #refusal(status: number, message: string, sent: unknown): MeditronError {
    const shown = excerpt(message, sent);
    if (/context (length|size|window)|maximum context|too (long|many tokens)|exceed/i.test(message))
      return new MeditronError('ERR_CONTEXT_FULL', `${this.origin}: ${shown}`);
    return new MeditronError('ERR_OPTION', `${this.origin} refuses the request (status ${status}): ${shown}`);
  }
}

class EndpointSession implements Session {
  promptTokens: number | null = null;
  readonly #texts = new Map<number, string>();

  constructor(
    private readonly endpoint: EndpointAnswerer,
    private readonly request: Request,
    private readonly prompts: readonly SentPrompt[],
  ) {}

  async *complete(
    samples: readonly number[],
    { signal, maxTokens = this.request.maxTokens }: CompleteOptions,
  ): AsyncGenerator<CompletionEvent, void, void> {
    const cancel = new AbortController();
    setMaxListeners(0, cancel.signal); // one request a sample
    const stopped = new Promise<undefined>(resolve => {
      const stop = () => resolve(undefined);
      signal.addEventListener('abort', stop, { once: true });
      if (signal.aborted) stop();
    });
    const running = new Map(
      samples.map(sample => [
        sample,
        this.#sample(sample, maxTokens, cancel.signal).then(choice => ({ sample, choice })),
      ]),
    );
    for (const pending of running.values()) pending.catch(() => {}); // looked at below, or not wanted any more
    try {
      while (running.size > 0) {
        const ended = await Promise.race([...running.values(), stopped]);
        if (!ended) return;
        const { sample, choice } = ended;
        running.delete(sample);
        const { text, tokens: tokenCount, logprob, finish } = choice;
        this.endpoint.counters.sampledTokens += tokenCount;
        this.#texts.set(sample, text);
        if (text !== '') yield { type: 'text', sample, text };
        yield { type: 'end', sample, finish, text, tokens: [], tokenCount, logprob };
      }
    } finally {
      cancel.abort();
    }
  }

  /** A conversation cannot be continued: its last turn is the server's. */
  async choose(after: After, signal: AbortSignal): Promise<readonly Compared[] | undefined> {
    if ('prompt' in after) {
      const { continuations } = this.request.prompts[after.prompt]!;
      return this.#compare(this.prompts[after.prompt]!, continuations, signal);
    }
    const { prompt } = this.request.samples[after.sample]!;
    const { text, messages } = this.prompts[prompt]!;
    if (messages) return undefined;
    const { suffix, continuations } = this.request.prompts[prompt]!.reask!;
    const said = this.#texts.get(after.sample)!;
    return this.#compare({ text: text + said + suffix, messages }, continuations, signal);
  }

  release(): void {}

  [Symbol.dispose](): void {}

  async #sample(sample: number, maxTokens: number, signal: AbortSignal): Promise<Choice> {
    const { sampling, samples, prompts } = this.request;
    const { prompt, seed } = samples[sample]!;
    const { temperature, topP, topK, frequencyPenalty } = sampling;
    const { stops } = prompts[prompt]!;
    const settings = {
      max_tokens: maxTokens,
      temperature,
      ...(topP < 1 && { top_p: topP }),
      ...(topK > 0 && { top_k: topK }), // not OpenAI's, but of the servers that run open weights
      ...(frequencyPenalty !== 0 && { frequency_penalty: frequencyPenalty }),
      seed,
      ...(stops.length > 0 && { stop: stops.slice(0, 4) }),
    };
    return this.#counted(await this.endpoint.ask(this.prompts[prompt]!, settings, 1, signal));
  }

  async #compare(
    prompt: Pick<SentPrompt, 'text' | 'messages'>,
    continuations: readonly string[],
    signal: AbortSignal,
  ): Promise<Compared[] | undefined> {
    const found = this.#counted(await this.endpoint.alternativesAfter(prompt, signal)).top;
    if (found.length === 0) return undefined;
    const texts = continuations.map(text => text.trim());
    const logprobs = texts.map(text => logprobOf(text, texts, found));
    if (logprobs.every(logprob => logprob === -Infinity)) {
      const message = `None of the answers is among the ${found.length} most probable tokens that ${this.endpoint.origin} tells of`;
      throw new MeditronError('ERR_INPUT', message);
    }
    return logprobs.map(logprob => ({ logprob, tokens: [] }));
  }

  /** The first count is that of a whole prompt, before anything was asked again. */
  #counted<T extends { readonly promptTokens: number | undefined }>(reply: T): T {
    this.promptTokens ??= reply.promptTokens ?? null;
    return reply;
  }
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
