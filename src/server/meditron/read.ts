import { Hono } from 'hono';
import * as v from 'valibot';
import { parseQuestion } from '../../prompt/question/question.js';
import { readingInWords } from '../../prompt/question/text/explain.js';
import { readQuestionText } from '../../prompt/question/text.js';
import { bodyOf } from './body.js';
import type { Reading } from './protocol.js';

export const readRequest = v.strictObject({
  text: v.string(),
  as: v.optional(v.picklist(['open'])),
});

/** Reads a text as a question, without any model. */
export function readRoutes(): Hono {
  return new Hono().post('/v1/meditron/read', async c => {
    const { text, as } = await bodyOf(c, readRequest);
    return c.json(as === 'open' ? openReading(text) : readingOf(text));
  });
}

/** @throws MeditronError `ERR_INPUT` with the line */
export function readingOf(text: string): Reading {
  const reading = readQuestionText(text);
  return { ...reading, summary: readingInWords(reading).split('\n', 1)[0]! };
}

/** All of a text as one question to be answered in words. */
function openReading(text: string): Reading {
  const reading = { question: parseQuestion({ kind: 'open', question: text.trim() }), findings: [] };
  return { ...reading, summary: readingInWords(reading) };
}
