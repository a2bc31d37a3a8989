import type { Finish } from '../types.js';

/** Tokens that might have come first, and their log-probabilities. */
export type TopLogprobs = readonly { readonly token: string; readonly logprob: number }[];

/** One completion, as far as it is used. */
export interface Choice {
  readonly text: string;
  readonly finish: Finish;
  /** The server's count, or the best guess where it tells none. */
  readonly tokens: number;
  /** Sum over the tokens, nats; 0 where the server tells none. */
  readonly logprob: number;
  /** For the first token. */
  readonly top: TopLogprobs;
}

export interface ReadReply {
  readonly choice: Record<string, unknown> | undefined;
  readonly promptTokens: number | undefined;
  readonly error: string | undefined;
}

/** The first choice of a reply of `completions` or `chat/completions`, with the reply's counts put beside it. */
export function readReply(reply: unknown): ReadReply {
  const { choices, usage, error, message, detail } = record(reply);
  const first = Array.isArray(choices) ? choices[0] : undefined;
  const { prompt_tokens: promptTokens, completion_tokens: tokens } = record(usage);
  const told = [record(error).message, error, message, detail].find(text => typeof text === 'string');
  return {
    choice: typeof first === 'object' && first !== null ? { ...first, completionTokens: tokens } : undefined,
    promptTokens: typeof promptTokens === 'number' ? promptTokens : undefined,
    error: told as string | undefined,
  };
}

/** Log-probabilities come in two forms: lists beside each other (completions of old), or a list of objects (chat, llama-server). */
export function readChoice(choice: Record<string, unknown>): Choice {
  const text = typeof choice.text === 'string' ? choice.text : contentOf(choice.message);
  const { content, token_logprobs: plain, top_logprobs: tops } = record(choice.logprobs);
  const entries = Array.isArray(content) ? content.map(record) : [];
  const logprobs = Array.isArray(content) ? entries.map(entry => entry.logprob) : Array.isArray(plain) ? plain : [];
  const finite = logprobs.filter((value): value is number => typeof value === 'number' && Number.isFinite(value));
  const told = choice.completionTokens;
  return {
    text,
    finish: choice.finish_reason === 'length' ? 'length' : 'end',
    tokens: typeof told === 'number' ? told : finite.length || Math.ceil(text.length / 4),
    logprob: finite.reduce((sum, value) => sum + value, 0),
    top: entries[0] ? listed(entries[0].top_logprobs) : Array.isArray(tops) ? named(tops[0]) : [],
  };
}

function contentOf(message: unknown): string {
  const { content } = record(message);
  return typeof content === 'string' ? content : '';
}

function listed(list: unknown): TopLogprobs {
  if (!Array.isArray(list)) return [];
  return list
    .map(record)
    .flatMap(({ token, logprob }) =>
      typeof token === 'string' && typeof logprob === 'number' ? [{ token, logprob }] : [],
    );
}

function named(byToken: unknown): TopLogprobs {
  return Object.entries(record(byToken)).flatMap(([token, logprob]) =>
    typeof logprob === 'number' ? [{ token, logprob }] : [],
  );
}

function record(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
