import { MeditronError } from '../check/errors.js';
import type { BosRule } from '../engine/jobs/options.js';
import type { Model } from '../engine/model.js';
import type { EngineSettings } from '../engine/settings.js';
import type { FormatName } from '../prompt/format/format.js';
import { buildPrompt } from '../prompt/prompt.js';
import { type Message, parseQuestion } from '../prompt/question/question.js';
import type { Segment } from '../types.js';
import { chooseFormat } from './choice.js';
import { bosOf } from './prompts.js';

/** A conversation as a model reads it, and where its answer ends. */
export interface ChatPrompt {
  readonly format: FormatName;
  readonly segments: readonly Segment[];
  readonly bos: BosRule;
  readonly stop: readonly string[];
  readonly stopTokens: readonly number[];
}

/** How a conversation is laid out. */
export interface ChatLayout {
  /** Default: the model's own format. */
  readonly format?: FormatName | undefined;
  /** Whether the last message is an answer of the model's that broke off, and goes on. Default false. */
  readonly goesOn?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Lays out a conversation for a model. Messages of one speaker that stand side by side are one, with a blank line between them.
 *
 * @throws MeditronError `ERR_PROMPT_FORMAT` with the choices for a model whose format is not known, or one that has no conversation; `ERR_INPUT`
 *   for a conversation that is none, or has nothing to go on with
 */
export async function chatPrompt(
  model: Model,
  messages: readonly Message[],
  { format: name, goesOn = false, signal }: ChatLayout = {},
): Promise<ChatPrompt> {
  const { format } = await chooseFormat(model, name, signal);
  if (!format.accepts.system && messages.some(({ role }) => role === 'system'))
    throw new MeditronError('ERR_PROMPT_FORMAT', `The ${format.name} format has no system turn: send none`);
  const said = joined(messages);
  const begun = goesOn ? begunOf(said) : undefined;
  const question = parseQuestion({ kind: 'chat', messages: begun === undefined ? said : said.slice(0, -1) });
  const prompt = buildPrompt(format, {
    question,
    mode: 'free',
    protocol: 'strict',
    ...(begun !== undefined && { begun }),
  });
  const { segments, stops } = prompt;
  const ends = await Promise.all(stops.tokens.map(text => model.special(text)));
  const known = new Set(model.info.ends);
  const stopTokens = ends.filter(id => id !== undefined && !known.has(id)) as number[];
  return { format: format.name, segments, bos: bosOf('auto', prompt, model), stop: stops.texts, stopTokens };
}

/**
 * Most tokens of an answer of unstated length: what its sequence has left, and no more than its part of the cache, which others share.
 *
 * @throws MeditronError `ERR_CONTEXT_FULL` if there is none
 */
export function roomForAnswer(
  { sequenceSize, contextSize, maxSequences }: EngineSettings,
  promptTokens: number,
  samples: number,
): number {
  const part = Math.max(512, Math.floor(contextSize / maxSequences));
  const room = Math.min(sequenceSize - promptTokens, Math.floor((contextSize - promptTokens) / samples), part);
  if (room >= 1) return room;
  throw new MeditronError(
    'ERR_CONTEXT_FULL',
    `The prompt has ${promptTokens} tokens and the context ${sequenceSize}: there is no room for an answer. Send a shorter one; nothing is cut silently`,
  );
}

function begunOf(messages: readonly Message[]): string {
  const last = messages.at(-1);
  if (last?.role === 'assistant') return last.content;
  throw new MeditronError(
    'ERR_INPUT',
    `Expected the last message, which is to go on, to be the assistant's, got ${last?.role ?? 'none'}`,
  );
}

function joined(messages: readonly Message[]): readonly Message[] {
  const out: Message[] = [];
  for (const message of messages) {
    const last = out.at(-1);
    if (last?.role === message.role)
      out[out.length - 1] = { ...last, content: `${last.content}\n\n${message.content}` };
    else out.push(message);
  }
  return out;
}
