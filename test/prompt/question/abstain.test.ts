import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatNames } from '../../../src/prompt/format/format.js';
import { formatByName } from '../../../src/prompt/format/formats.js';
import { buildPrompt } from '../../../src/prompt/prompt.js';
import { abstainLabelOf, abstainOptionText } from '../../../src/prompt/question/abstain.js';
import type { ChoiceQuestion } from '../../../src/prompt/question/question.js';
import { textOf } from '../../../src/prompt/segment.js';

const words = fc.stringMatching(/^[a-z]{1,8}( [a-z0-9]{1,8}){0,3}$/);
const questions: fc.Arbitrary<ChoiceQuestion> = fc
  .tuple(words, fc.uniqueArray(words, { minLength: 2, maxLength: 25 }))
  .map(([question, options]) => ({ kind: 'choice', question: `${question}?`, options }));
const formats = formatNames.filter(name => name !== 'jinja').map(name => formatByName(name, {}));
const common = { protocol: 'strict' } as const;

describe('the option to abstain', () => {
  test('is one more option, byte for byte, in every format and mode', () => {
    expect(abstainOptionText).toBe('I cannot tell');
    const modes = fc.constantFrom('top-token', 'cot', 'sc-cot');
    fc.assert(
      fc.property(questions, modes, fc.constantFrom(...formats), (question, mode, format) => {
        const input = { ...common, mode, question } as const;
        const plainly = buildPrompt(format, {
          ...input,
          question: { ...question, options: [...question.options, abstainOptionText] },
        });
        const offered = buildPrompt(format, { ...input, abstainOption: true });
        expect(offered).toEqual(plainly);
        expect(textOf(offered.segments)).toContain('I cannot tell');
        expect(offered.labels.at(-1)).toBe(abstainLabelOf(question, true));
        expect(buildPrompt(format, { ...input, abstainOption: false })).toEqual(buildPrompt(format, input));
      }),
    );
  });

  test.each(['I cannot tell', ' i cannot  tell.'])('is refused beside %j, its like', own => {
    const question: ChoiceQuestion = { kind: 'choice', question: 'Which?', options: ['a', own] };
    const build = () => buildPrompt(formats[0]!, { ...common, mode: 'cot', question, abstainOption: true });
    expect(build).toThrow(/^Option B of the question is "I cannot tell" itself/);
  });

  test('is refused where there is no letter for it', () => {
    const question: ChoiceQuestion = {
      kind: 'choice',
      question: 'Which?',
      options: Array.from({ length: 26 }, (_, i) => `${i}`),
    };
    const build = () => buildPrompt(formats[0]!, { ...common, mode: 'cot', question, abstainOption: true });
    expect(build).toThrow(/at most 25 options/);
  });

  test.each([
    [{ protocol: 'paper' }, /asks as it was published/],
    [{ protocol: 'authors-code' }, /asks as it was published/],
    [{ question: { kind: 'boolean', question: 'Is it?', context: [] } }, /needs a question with options/],
    [{ question: { kind: 'open', question: 'What?' } }, /needs a question with options/],
    [{ abstainOption: 'yes' }, /abstainOption/],
  ])('is refused with %j', (change, message) => {
    const question: ChoiceQuestion = { kind: 'choice', question: 'Which?', options: ['a', 'b'] };
    const input = { ...common, mode: 'cot', question, abstainOption: true, ...change };
    expect(() => buildPrompt(formats[0]!, input as never)).toThrow(message);
  });
});
