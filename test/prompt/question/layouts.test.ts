import { describe, expect, test } from 'vitest';
import { MeditronError } from '../../../src/check/errors.js';
import { readQuestionText } from '../../../src/prompt/question/text.js';
import { type Expected, layouts } from './layouts.js';

function readAs(text: string): Expected | { refused: string } {
  try {
    const { question } = readQuestionText(text);
    if (question.kind === 'open') return { open: question.question };
    if (question.kind !== 'choice') throw new Error(question.kind);
    const { answer, options } = question;
    return { question: question.question, options, ...(answer && { answer }) };
  } catch (error) {
    if (!(error instanceof MeditronError) || error.code !== 'ERR_INPUT') throw error;
    return { refused: error.message };
  }
}

describe('a pasted question is read as', () => {
  test.each(layouts)('$name', ({ text, expected }) => {
    const read = readAs(text);
    if ('refused' in expected) expect(read).toEqual({ refused: expect.stringMatching(expected.refused) });
    if ('refused' in expected) expect(read).not.toEqual({ refused: expect.stringMatching(/[?.:;,][.?]/) });
    else expect(read).toEqual(expected);
  });
});
