import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type AnswerForm, extract } from '../../../src/vote/read/extract.js';
import { beginsThinking, splitThinking, thinkingMarks } from '../../../src/vote/read/thinking.js';

const form: AnswerForm = { kind: 'mcq', letters: ['A', 'B', 'C', 'D'] };
const marks = fc.constantFrom(...thinkingMarks);
/** Reasoning that would be read as an answer, were it not thinking. */
const reasoning = fc
  .array(
    fc.constantFrom('The answer is: A', 'so', '\\boxed{C}', '\n', '**Final answer:** D', 'A', 'fever', ' ', '[x]'),
    {
      maxLength: 12,
    },
  )
  .map(parts => parts.join(' '));

describe('what a model thinks', () => {
  test('is never read as an answer, wherever it begins and ends', () => {
    fc.assert(
      fc.property(marks, reasoning, reasoning, ([open, close], first, second) => {
        const read = (text: string, begunThinking = false) => extract('strict', text, form, { begunThinking }).answer;
        expect(read(`${open}${first}${close}The answer is: B`)).toBe('B');
        expect(read(`${first}${close}\n\nThe answer is: B`)).toBe('B');
        expect(read(`${first}${close}\n\nThe answer is: B`, true)).toBe('B');
        expect(read(`The answer is: B\n${open}${first}`)).toBe('B');
        expect(read(`The answer is: B\n${open}${first}${close}`)).toBe('B');
        expect(read(`${open}${first}`)).toBeUndefined();
        expect(read(`${first} ${second}`, true)).toBeUndefined();
        expect(read(`${open}${first}${open}${second}${close}${second}${close}The answer is: B`)).toBe('B');
        // The authors' script does not know of it.
        const whole = `${open}${first}${close}The answer is: B`;
        expect(extract('authors-code', whole, form)).toEqual(
          extract('authors-code', whole, form, { begunThinking: true }),
        );
      }),
    );
  });

  test('and what it says are all of the text but the marks, in their order', () => {
    const piece = fc.oneof(fc.string(), fc.constantFrom(...thinkingMarks.flat()));
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 20 }), fc.boolean(), (pieces, begun) => {
        const text = pieces.join('');
        const { said, thinking, open } = splitThinking(text, begun);
        const letters = (part: string) => part.replace(/\s/g, '').split('').sort().join('');
        const marked = text.match(/<\/?(?:think(?:ing)?|thought|reasoning)>|<\|inner_(?:pre|suf)fix\|>|\[\/?THINK\]/gi);
        if (!marked && !begun)
          expect({ said, thinking, open }).toEqual({ said: text, thinking: undefined, open: false });
        // Marks within thinking of another kind stay.
        const rest = letters(said + (thinking ?? ''));
        expect(letters(text).length - rest.length).toBeLessThanOrEqual((marked ?? []).join('').length);
        expect(said.split('\n').every(part => text.includes(part))).toBe(true);
        if (open) expect(said).toBe(splitThinking(`${text} and more`, begun).said);
      }),
    );
  });

  test.each(thinkingMarks)('begins where a prompt ends in %s', (open, close) => {
    expect(beginsThinking(`<|assistant|>\n${open}\n`)).toBe(true);
    expect(beginsThinking(`${open}\n\n${close}\n`)).toBe(false);
    expect(beginsThinking(`${open} first`)).toBe(false);
  });

  test('is parted in one pass', () => {
    for (const unit of ['<think>', '</think>', '<think></think>', '[THINK]', '<|inner_suffix|>a', '<', '<think', 'a'])
      expect(splitThinking(unit.repeat(1e6 / unit.length)).said.length).toBeLessThanOrEqual(1e6);
  });
});
