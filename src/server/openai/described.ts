import type { RouteDescription } from '../described.js';
import { chatSchema, completionSchema, detokenizeSchema, tokenizeSchema } from './request.js';

/** Every route that clients of OpenAI's interface and evaluation harnesses ask for. */
export const openaiDescriptions: readonly RouteDescription[] = [
  {
    method: 'post',
    path: '/v1/chat/completions',
    summary: "Goes on with a conversation, in the model's own format or in `chat_format`",
    page: false,
    body: chatSchema,
    answer: 'ChatCompletion',
    events: 'ChatCompletionChunk',
  },
  {
    method: 'post',
    path: '/v1/completions',
    summary: 'Goes on with texts or token ids; with `echo` and `logprobs` scores them too',
    page: false,
    body: completionSchema,
    answer: 'Completion',
    events: 'Completion',
  },
  { method: 'get', path: '/v1/models', summary: 'The models there are', page: false, answer: 'ModelList' },
  { method: 'get', path: '/v1/models/:id{.+}', summary: 'One of the models', page: false, answer: 'Model' },
  {
    method: 'post',
    path: '/tokenize',
    summary: 'The tokens of a text or a conversation',
    page: false,
    body: tokenizeSchema,
    answer: 'Tokens',
  },
  {
    method: 'post',
    path: '/detokenize',
    summary: 'The text of tokens',
    page: false,
    body: detokenizeSchema,
    answer: 'Text',
  },
  {
    method: 'get',
    path: '/tokenizer_info',
    summary: 'Special tokens and chat template of a vocabulary',
    page: false,
    query: { model: 'The model; by default the first' },
    answer: 'TokenizerInfo',
  },
];
