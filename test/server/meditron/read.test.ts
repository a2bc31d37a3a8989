import { expect, test } from 'vitest';
import { readQuestionText } from '../../../src/prompt/question/text.js';
import { makeApp } from '../../../src/server/app.js';
import { readRoutes } from '../../../src/server/meditron/read.js';
import type { Pool } from '../../../src/server/pool/pool.js';
import { sendTo, text } from './served.js';

const send = sendTo(makeApp({ pool: undefined as unknown as Pool, routes: [readRoutes] }));
const read = (body: unknown) => send('POST', 'read', body);

test('a text is read as the library reads it, with what was taken off', async () => {
  const keyed = `${text}Answer: C\n`;
  const response = await read({ text: keyed });
  expect(await response.json()).toEqual({
    ...JSON.parse(JSON.stringify(readQuestionText(keyed))),
    summary: 'Read as a question with 4 options, A. to D., shown to the model as A to D.',
  });
});

test('it can be read as an open question, options and all', async () => {
  const response = await read({ text, as: 'open' });
  expect(await response.json()).toMatchObject({ question: { kind: 'open', question: text.trim() }, findings: [] });
});

test.each([
  ['blank', { text: ' ' }, 'ERR_INPUT'],
  ['no text', {}, 'ERR_OPTION'],
  ['another type', { text: ['a'] }, 'ERR_OPTION'],
  ['another kind', { text, as: 'choice' }, 'ERR_OPTION'],
  ['a misspelt field', { text, sa: 'open' }, 'ERR_OPTION'],
  ['options that cannot be told apart', { text: 'What?\nA. 1\nA. 2' }, 'ERR_INPUT'],
])('%s is refused', async (_, body, code) => {
  const response = await read(body);
  expect(response.status).toBe(400);
  expect(await response.json()).toMatchObject({ error: { code } });
});
