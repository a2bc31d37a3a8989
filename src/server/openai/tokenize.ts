import { type Context, Hono } from 'hono';
import { chatPrompt } from '../../ask/chat.js';
import { optionError } from '../../check/errors.js';
import type { Model } from '../../engine/model.js';
import { formatNameOf } from '../../prompt/format/formats.js';
import type { Pool, UseOptions } from '../pool/pool.js';
import { preferenceOf } from '../prefer.js';
import { checkedIds } from './ids.js';
import { messagesOf } from './messages.js';
import { piecesOf } from './pieces.js';
import { detokenizeSchema, received, tokenizeSchema } from './request.js';

/** `POST /tokenize`, `POST /detokenize` and `GET /tokenizer_info`, as vLLM has them. */
export function tokenizeRoutes(pool: Pool): Hono {
  return new Hono()
    .post('/tokenize', async c => {
      const { request } = await received(c, tokenizeSchema);
      const { signal } = c.req.raw;
      await using use = await pool.use(request.model, signal, forTokens(c));
      const tokens = await tokensOf(use.model, request, signal);
      const pieces = request.return_token_strs ? await piecesOf(use.model) : undefined;
      return c.json({
        count: tokens.length,
        max_model_len: use.engine.settings.sequenceSize,
        tokens: [...tokens],
        token_strs: pieces ? Array.from(tokens, token => pieces.text(token)) : null,
      });
    })
    .post('/detokenize', async c => {
      const { request } = await received(c, detokenizeSchema);
      await using use = await pool.use(request.model, c.req.raw.signal, forTokens(c));
      const tokens = Int32Array.from(checkedIds('tokens', request.tokens, use.model));
      return c.json({ prompt: await use.model.detokenize(tokens, { special: true }) });
    })
    .get('/tokenizer_info', async c => {
      await using use = await pool.use(c.req.query('model'), c.req.raw.signal, forTokens(c));
      return c.json(infoOf(use.model, use.engine.settings.sequenceSize));
    });
}

/** The vocabulary is asked beside what is computed. */
function forTokens(c: Context): UseOptions {
  return { ...preferenceOf(c), computes: false };
}

interface Tokenizing {
  readonly prompt?: string | undefined;
  readonly messages?: Parameters<typeof messagesOf>[0] | undefined;
  readonly add_special_tokens?: boolean | undefined;
  readonly chat_format?: string | undefined;
}

/**
 * The tokens of a text or of a conversation. A text never spells special tokens, with one exception: one that is nothing but the name of one is that
 * token, which is how evaluation harnesses ask for a vocabulary's ends.
 */
async function tokensOf(model: Model, request: Tokenizing, signal: AbortSignal): Promise<Int32Array> {
  const { prompt, messages, add_special_tokens = messages === undefined, chat_format } = request;
  const bos = add_special_tokens ? 'auto' : 'never';
  if (messages !== undefined) {
    const format = chat_format === undefined ? undefined : formatNameOf(chat_format);
    const prompt = await chatPrompt(model, messagesOf(messages), { format, signal });
    return model.tokenize(prompt.segments, { bos: prompt.bos, signal });
  }
  if (prompt === undefined) throw optionError('prompt', 'a text, or `messages` a conversation', prompt);
  const special = await model.special(prompt);
  if (special !== undefined && bos === 'never') return Int32Array.of(special);
  return model.tokenize(prompt, { bos, signal });
}

function infoOf({ info }: Model, maxLength: number): object {
  const text = (role: string) => info.specialTokens[role]?.text ?? null;
  return {
    tokenizer_class: `gguf:${info.vocabulary.model ?? 'unknown'}`,
    bos_token: text('bos'),
    eos_token: text('eos'),
    unk_token: text('unk'),
    pad_token: text('pad'),
    add_bos_token: info.addBos ?? info.bos !== null,
    add_eos_token: false,
    model_max_length: maxLength,
    vocab_size: info.vocabulary.size,
    chat_template: info.chatTemplate,
  };
}
