import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { checkAsked } from '../../src/ask/asked.js';
import { questionFree } from '../../src/ask/beginning.js';
import type { AskOptions } from '../../src/ask/options.js';
import { bosOf, promptFor } from '../../src/ask/prompts.js';
import type { Model } from '../../src/engine/model.js';
import { formats } from '../../src/prompt/format/formats.js';
import type { Question } from '../../src/prompt/question/question.js';
import { textOf } from '../../src/prompt/segment.js';
import { loadStories } from '../engine/stories.js';

let model: Model;
beforeAll(async () => {
  model = await loadStories();
});
afterAll(() => model.close());

// Texts that could run into the instruction before them, or are what the questions beside say.
const words = fc
  .oneof(
    fc.constantFrom('0', 'Z', '00', 'ZZ top', '0 mg', 'A', 'Question', '###', '\u00e9', '   x'),
    fc.string({ minLength: 1, maxLength: 30, unit: 'grapheme' }),
  )
  .filter(text => text.trim() !== '');
const questions: fc.Arbitrary<Question> = fc.oneof(
  fc.record({
    kind: fc.constant('choice' as const),
    question: words,
    options: fc.array(words, { minLength: 2, maxLength: 5 }),
  }),
  fc.record({ kind: fc.constant('boolean' as const), question: words, context: fc.array(words, { maxLength: 2 }) }),
  fc.record({ kind: fc.constant('open' as const), question: words }),
);

test('is what the prompts of any question begin with, and has nothing of it', async () => {
  let longest = 0;
  await fc.assert(
    fc.asyncProperty(questions, words, fc.constantFrom(...formats), async (question, other, format) => {
      const options: AskOptions = { format: format.name, hash: false };
      const tokens = await questionFree(model, question, options);
      const prompt = promptFor(format, question, checkAsked(question, options), null);
      const whole = await model.tokenize(prompt.segments, { bos: bosOf('auto', prompt, model) });
      expect([...whole.subarray(0, tokens.length)]).toEqual([...tokens]);
      // What the prompts of any other question begin with too has nothing of this one.
      const instead = { ...question, question: other } as Question;
      const text = textOf(promptFor(format, instead, checkAsked(instead, options), null).segments);
      const kept = await model.detokenize(tokens, { special: true });
      expect(text.replace(/^<s>/, '').trimStart().startsWith(kept.replace(/^<s>/, '').trimStart())).toBe(true);
      longest = Math.max(longest, tokens.length);
    }),
    { numRuns: 150 },
  );
  expect(longest).toBeGreaterThan(100);
});
