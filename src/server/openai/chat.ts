import { Hono } from 'hono';
import { chatPrompt, roomForAnswer } from '../../ask/chat.js';
import { MeditronError, optionError } from '../../check/errors.js';
import type { Engine } from '../../engine/engine.js';
import { formatNameOf } from '../../prompt/format/formats.js';
import { RequestError } from '../error.js';
import type { Pool, Use } from '../pool/pool.js';
import { preferenceOf } from '../prefer.js';
import { headOf, reasonOf, usageOf } from './answer.js';
import { type ChatLogprobs, chatLogprobs, tokensOf } from './logprobs.js';
import { messagesOf } from './messages.js';
import { type Pieces, piecesOf } from './pieces.js';
import { type ChatRequest, chatSchema, received } from './request.js';
import { type ChoiceEvent, samplesOf } from './samples.js';
import { sampledOf } from './sampling.js';
import { streamed } from './stream.js';

/** `POST /v1/chat/completions`. */
export function chatRoutes(pool: Pool): Hono {
  return new Hono().post('/v1/chat/completions', async c => {
    const { request } = await received(c, chatSchema);
    if (request.top_logprobs !== undefined && !request.logprobs)
      throw optionError('top_logprobs', 'left out where `logprobs` is not true', request.top_logprobs);
    if (request.stream)
      return streamed(c, signal => chunksOf(pool.use(request.model, signal, preferenceOf(c)), request, signal));
    const { signal } = c.req.raw;
    await using use = await pool.use(request.model, signal, preferenceOf(c));
    return c.json(await answerOf(use, request, signal));
  });
}

interface Work {
  readonly promptTokens: number;
  readonly pieces: Pieces | undefined;
  readonly events: AsyncGenerator<ChoiceEvent, void, void>;
}

async function workOf({ model, engine }: Use, request: ChatRequest, signal: AbortSignal): Promise<Work> {
  const format = request.chat_format === undefined ? undefined : formatNameOf(request.chat_format);
  const goesOn = request.continue_final_message;
  const prompt = await chatPrompt(model, messagesOf(request.messages), { format, goesOn, signal }).catch(ofFormat);
  const sampled = sampledOf(request, engine);
  const tokens = await model.tokenize(prompt.segments, {
    bos: prompt.bos,
    maxTokens: engine.settings.sequenceSize,
    signal,
  });
  const pieces = request.logprobs ? await piecesOf(model) : undefined;
  const options = {
    ...sampled,
    stop: [...sampled.stop, ...prompt.stop],
    stopTokens: prompt.stopTokens,
    maxTokens: mostTokens(request, engine, tokens.length),
    topLogprobs: request.logprobs ? (request.top_logprobs ?? 0) : undefined,
  };
  return { promptTokens: tokens.length, pieces, events: samplesOf(engine, [tokens], options, signal) };
}

/** The field that chooses a format is called otherwise than the option of ours. */
function ofFormat(error: unknown): never {
  if (error instanceof MeditronError && error.code === 'ERR_PROMPT_FORMAT')
    throw new RequestError(400, `${error.message} (\`chat_format\`)`, 'chat_format', {}, 'ERR_PROMPT_FORMAT');
  throw error;
}

function mostTokens(
  { max_completion_tokens, max_tokens, n }: ChatRequest,
  { settings }: Engine,
  prompt: number,
): number {
  const wanted = max_completion_tokens ?? max_tokens;
  const field = max_completion_tokens === undefined ? 'max_tokens' : 'max_completion_tokens';
  if (wanted === 0) throw optionError(field, 'at least 1, or -1 for as many as there is room for', wanted);
  return wanted === undefined || wanted === -1 ? roomForAnswer(settings, prompt, n) : wanted;
}

async function answerOf(use: Use, request: ChatRequest, signal: AbortSignal): Promise<object> {
  const { promptTokens, pieces, events } = await workOf(use, request, signal);
  const choices: object[] = [];
  let sampled = 0;
  for await (const event of events) {
    if (event.type !== 'end') continue;
    sampled += event.tokens.length;
    choices[event.index] = {
      index: event.index,
      message: { role: 'assistant', content: event.text, refusal: null, annotations: [] },
      logprobs: pieces ? chatLogprobs(tokensOf({ ...event, sample: 0 }, 0, event.textTokens), pieces) : null,
      finish_reason: reasonOf(event.finish),
    };
  }
  return {
    ...headOf('chatcmpl', 'chat.completion', use.name, use.engine),
    choices,
    usage: usageOf(promptTokens, sampled),
  };
}

async function* chunksOf(
  coming: Promise<Use>,
  request: ChatRequest,
  signal: AbortSignal,
): AsyncGenerator<object, void, void> {
  await using use = await coming;
  const { promptTokens, pieces, events } = await workOf(use, request, signal);
  const head = headOf('chatcmpl', 'chat.completion.chunk', use.name, use.engine);
  const withUsage = request.stream_options?.include_usage ?? false;
  const chunk = (index: number, delta: object, logprobs: ChatLogprobs | null, finish: string | null) => ({
    ...head,
    choices: [{ index, delta, logprobs, finish_reason: finish }],
    ...(withUsage && { usage: null }),
  });
  const told = new Map<number, number>(); // tokens whose log-probabilities have been sent
  let sampled = 0;
  for await (const event of events) {
    if (event.type === 'begun') {
      for (let index = 0; index < request.n; index++)
        yield chunk(index, { role: 'assistant', content: '', refusal: null }, null, null);
    } else if (event.type === 'text') {
      const tokens = event.tokens ?? [];
      told.set(event.index, (told.get(event.index) ?? 0) + tokens.length);
      yield chunk(event.index, { content: event.text }, pieces ? chatLogprobs(tokens, pieces) : null, null);
    } else {
      sampled += event.tokens.length;
      const left = tokensOf({ ...event, sample: 0 }, told.get(event.index) ?? 0, event.textTokens);
      const logprobs = pieces && left.length > 0 ? chatLogprobs(left, pieces) : null;
      yield chunk(event.index, {}, logprobs, reasonOf(event.finish));
    }
  }
  if (withUsage) yield { ...head, choices: [], usage: usageOf(promptTokens, sampled) };
}
