import { Hono } from 'hono';
import * as v from 'valibot';
import { chatPrompt } from '../../ask/chat.js';
import { formatNames } from '../../prompt/format/format.js';
import type { Pool } from '../pool/pool.js';
import { bodyOf } from './body.js';
import type { ChatRoom } from './protocol.js';

export const chatRoomRequest = v.strictObject({
  model: v.optional(v.string()),
  messages: v.array(v.strictObject({ role: v.picklist(['system', 'user', 'assistant']), content: v.string() })),
  format: v.optional(v.picklist(formatNames)),
});

/** English words of a token, about: as few as texts of names and doses have. */
const wordsOfToken = 0.6;

/** What a conversation takes of the context: the prompt is that of `/v1/chat/completions`. */
export function roomRoutes(pool: Pool): Hono {
  return new Hono().post('/v1/meditron/chat/room', async c => {
    const { model, messages, format } = await bodyOf(c, chatRoomRequest);
    const { signal } = c.req.raw;
    await using use = await pool.use(model, signal, { computes: false });
    const { segments, bos } = await chatPrompt(use.model, messages, { format, signal });
    const used = (await use.model.tokenize(segments, { bos, signal })).length;
    const context = use.engine.settings.sequenceSize;
    const left = Math.max(0, context - used);
    return c.json<ChatRoom>({ used, left, context, words: Math.floor((left * wordsOfToken) / 10) * 10 });
  });
}
