import { expect, test } from 'vitest';
import type { Api } from '../../page/src/api/api.js';
import { Draft } from '../../page/src/ask/draft.js';
import { checkAsked } from '../../src/ask/asked.js';
import { parseQuestion } from '../../src/prompt/question/question.js';
import { readingOf } from '../../src/server/meditron/read.js';

/** Reads as the server does. */
const api = { post: async (_: string, { text }: { text: string }) => readingOf(text) } as unknown as Api;

async function drafted(text: string): Promise<Draft> {
  const draft = new Draft(api);
  draft.write(text);
  await draft.read();
  return draft;
}

test('“I cannot tell” is offered as the library offers it, so that choosing it is an abstention', async () => {
  const draft = await drafted('Which?\nA. Warfarin\nB. Apixaban');
  expect(draft.request('id')).not.toHaveProperty('abstainOption');
  draft.set({ cannotTell: true });
  const { id, question, ...settings } = draft.request('id');
  expect(question).toMatchObject({ options: ['Warfarin', 'Apixaban'] });
  expect(checkAsked(parseQuestion(question), settings).prompt.abstainOption).toBe(true);
  expect((await drafted('What is it?')).request('id')).not.toHaveProperty('abstainOption');
});
