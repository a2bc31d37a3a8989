import { Hono } from 'hono';
import * as v from 'valibot';
import { chooseFormat } from '../../ask/choice.js';
import { MeditronError } from '../../check/errors.js';
import { formatNames } from '../../prompt/format/format.js';
import { buildPrompt } from '../../prompt/prompt.js';
import { parseQuestion } from '../../prompt/question/question.js';
import type { Pool } from '../pool/pool.js';
import { bodyOf } from './body.js';
import type { ChatRoom } from './protocol.js';

export const chatRoomRequest = v.strictObject({
  model: v.optional(v.string()),
  messages: v.array(v.unknown()),
  format: v.optional(v.picklist(formatNames)),
});

/** English words of a token, about: as few as texts of names and doses have. */
const wordsOfToken = 0.6;

/** What a conversation takes of the context. */
export function roomRoutes(pool: Pool): Hono {
  return new Hono().post('/v1/meditron/chat/room', async c => {
    const { model, messages, format: named } = await bodyOf(c, chatRoomRequest);
    const { signal } = c.req.raw;
    const question = parseQuestion({ kind: 'chat', messages });
    await using use = await pool.use(model, signal, { computes: false });
    const { format } = await chooseFormat(use.model, named, signal);
    if (!format.accepts.chat)
      throw new MeditronError(
        'ERR_PROMPT_FORMAT',
        `The ${format.name} format has no conversation: ask questions instead`,
      );
    const { segments } = buildPrompt(format, { question, mode: 'free', protocol: 'strict' });
    const used = (await use.model.tokenize(segments, { signal })).length;
    const context = use.engine.settings.sequenceSize;
    const left = Math.max(0, context - used);
    return c.json<ChatRoom>({ used, left, context, words: Math.floor((left * wordsOfToken) / 10) * 10 });
  });
}
