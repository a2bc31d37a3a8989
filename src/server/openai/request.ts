import type { Context } from 'hono';
import * as v from 'valibot';
import { checkedBody, jsonOf } from '../meditron/body.js';

/** A request as it was sent, and the fields of it that have no effect here. */
export interface Received<T> {
  readonly request: T;
  readonly ignored: readonly string[];
}

type Entries = Readonly<Record<string, v.GenericSchema>>;

/**
 * The body of a request. Clients send fields that not every server knows: those are let through, and named in the answer's header
 * `X-Meditron-Ignored`. A field that is null counts as left out, as clients that write out every field have it.
 *
 * @throws RequestError 400 that names the field
 */
export async function received<const E extends Entries>(
  c: Context,
  schema: v.ObjectSchema<E, undefined>,
): Promise<Received<v.InferOutput<v.ObjectSchema<E, undefined>>>> {
  const body = await jsonOf(c);
  const given = Object.entries(body).filter(([, value]) => value !== null);
  const ignored = given.map(([name]) => name).filter(name => !Object.hasOwn(schema.entries, name));
  if (ignored.length > 0) c.header('X-Meditron-Ignored', inHeader(ignored));
  return { request: checkedBody(Object.fromEntries(given), schema), ignored };
}

function inHeader(names: readonly string[]): string {
  const plain = names.filter(name => /^[\w.-]{1,64}$/.test(name)).slice(0, 32);
  const others = names.length - plain.length;
  return [...plain, ...(others > 0 ? [`(${others} more)`] : [])].join(', ');
}

const text = v.string();
const number = v.number();
const whole = v.pipe(v.number(), v.safeInteger('a whole number'));
/** Beyond what a double tells apart too: clients draw them from 64 bits. */
const seed = v.pipe(v.number(), v.integer('a whole number'), v.minValue(-(2 ** 63)), v.maxValue(2 ** 63));
const yesNo = v.boolean();
const between = (low: number, high: number) =>
  v.pipe(
    whole,
    v.minValue(low, `a whole number from ${low} to ${high}`),
    v.maxValue(high, `a whole number from ${low} to ${high}`),
  );

/** -1, as some servers spell it, is as many as there is room for. */
const mostTokens = between(-1, 0x7ffffffe);

/** What both kinds of completion are asked for. */
const common = {
  model: v.optional(text),
  n: v.optional(between(1, 256), 1),
  stream: v.optional(yesNo, false),
  stream_options: v.optional(v.object({ include_usage: v.optional(yesNo, false) })),
  stop: v.optional(v.union([text, v.array(text)], 'a text, or an array of texts')),
  seed: v.optional(seed),
  temperature: v.optional(number),
  top_p: v.optional(number),
  top_k: v.optional(whole),
  min_p: v.optional(number),
  frequency_penalty: v.optional(number),
  presence_penalty: v.optional(number),
  repetition_penalty: v.optional(number),
  logit_bias: v.optional(v.record(text, number)),
  response_format: v.optional(
    v.object({
      type: v.picklist(['text', 'json_object', 'json_schema']),
      json_schema: v.optional(v.object({ schema: v.optional(v.unknown()) })),
    }),
  ),
  grammar: v.optional(text),
};

const content = v.union(
  [text, v.array(v.union([text, v.looseObject({ type: text })]))],
  'a text, or an array of parts',
);
const messageSchema = v.object({ role: text, content: v.optional(v.nullable(content)) });

export const completionSchema = v.object({
  ...common,
  prompt: v.union(
    [text, v.array(v.union([text, whole, v.array(whole)]))],
    'a text, an array of texts, of token ids, or of arrays of token ids',
  ),
  max_tokens: v.optional(mostTokens, 16),
  logprobs: v.optional(between(0, 20)),
  echo: v.optional(yesNo, false),
  add_special_tokens: v.optional(yesNo, true),
  best_of: v.optional(whole),
  suffix: v.optional(text),
});

export const chatSchema = v.object({
  ...common,
  messages: v.pipe(v.array(messageSchema), v.minLength(1, 'an array of at least one message')),
  max_tokens: v.optional(mostTokens),
  max_completion_tokens: v.optional(mostTokens),
  logprobs: v.optional(yesNo, false),
  top_logprobs: v.optional(between(0, 20)),
  chat_format: v.optional(text),
  continue_final_message: v.optional(yesNo, false),
});

export const tokenizeSchema = v.object({
  model: v.optional(text),
  prompt: v.optional(text),
  messages: v.optional(v.array(messageSchema)),
  add_special_tokens: v.optional(yesNo),
  return_token_strs: v.optional(yesNo, false),
  chat_format: v.optional(text),
});

export const detokenizeSchema = v.object({
  model: v.optional(text),
  tokens: v.array(whole),
});

export type Common = v.InferOutput<v.ObjectSchema<typeof common, undefined>>;
export type CompletionRequest = v.InferOutput<typeof completionSchema>;
export type ChatRequest = v.InferOutput<typeof chatSchema>;
export type RequestMessage = v.InferOutput<typeof messageSchema>;
