import { describe, expect, test } from 'vitest';
import { MeditronError } from '../../../src/check/errors.js';
import { labelsOf, maxQuestionLength, parseQuestion } from '../../../src/prompt/question/question.js';
import { parseQuestionText, readQuestionText } from '../../../src/prompt/question/text.js';

const two = { A: 'yes it is', B: 'no it is not' };

/** The message of the ERR_INPUT that a call throws. */
function refusal(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    expect(error).toBeInstanceOf(MeditronError);
    expect((error as MeditronError).code).toBe('ERR_INPUT');
    return (error as MeditronError).message;
  }
  throw new Error('nothing was thrown');
}

describe('parseQuestion', () => {
  test('options as an object and as an array are the same question', () => {
    const expected = { kind: 'choice', question: 'Q?', options: ['x', 'y'] };
    expect(parseQuestion({ question: 'Q?', options: { A: 'x', B: 'y' } })).toEqual(expected);
    expect(parseQuestion({ question: 'Q?', options: ['x', 'y'] })).toEqual(expected);
    expect(parseQuestion({ question: 'Q?', options: { b: 'y', a: 'x' } })).toEqual(expected);
  });

  test('a context without options is a yes/no/maybe question, neither is an open one', () => {
    const boolean = parseQuestion({ question: 'Q?', context: 'C', answer: 'Maybe', id: 7 });
    expect(boolean).toEqual({ kind: 'boolean', id: '7', question: 'Q?', context: ['C'], answer: 'maybe' });
    expect(labelsOf(boolean)).toEqual(['yes', 'no', 'maybe']);
    expect(parseQuestion({ question: 'Q?' })).toEqual({ kind: 'open', question: 'Q?' });
    expect(parseQuestion({ question: 'Q?', context: ['a', 'b'], kind: 'open' })).toEqual({
      kind: 'open',
      question: 'Q?',
      context: ['a', 'b'],
    });
  });

  test('26 options are A to Z; two may be equal', () => {
    const options = Array.from({ length: 26 }, () => 'same');
    expect(labelsOf(parseQuestion({ question: 'Q', options }))).toEqual([...'ABCDEFGHIJKLMNOPQRSTUVWXYZ']);
  });

  test('a conversation keeps its messages', () => {
    const messages = [
      { role: 'system', content: 's' },
      { role: 'user', content: 'u' },
      { role: 'assistant', content: 'a' },
      { role: 'user', content: 'v' },
    ];
    expect(parseQuestion({ messages })).toEqual({ kind: 'chat', messages });
  });

  test.each<[string, unknown, RegExp]>([
    ['null', null, /to be an object, got null/],
    ['an array', [], /to be an object, got an array of 0/],
    ['a string', 'Q', /to be an object, got "Q" \(string\)/],
    ['no question', { options: two }, /`question` to be a string that is not blank, got undefined/],
    ['a blank question', { question: ' \n', options: two }, /`question`/],
    ['a number as question', { question: 3, options: two }, /`question`.*got 3 \(number\)/],
    ['no options', { question: 'Q', options: [] }, /2 to 26 options, got 0/],
    ['one option', { question: 'Q', options: { A: 'x' } }, /2 to 26 options, got 1/],
    ['27 options', { question: 'Q', options: Array(27).fill('x') }, /2 to 26 options, got 27/],
    ['an empty option', { question: 'Q', options: ['x', ''] }, /`options\[1\]`/],
    ['a null option', { question: 'Q', options: { A: 'x', B: null } }, /option B.*got null/],
    ['options of the wrong type', { question: 'Q', options: 'A' }, /`options`/],
    ['a letter twice', { question: 'Q', options: { A: 'x', a: 'y', B: 'z' } }, /Option A is given twice/],
    ['a gap', { question: 'Q', options: { A: 'x', C: 'y' } }, /without a gap, got A, C/],
    ['a letter that is none', { question: 'Q', options: { A: 'x', 1: 'y' } }, /one of A to Z, got "1"/],
    ['a misspelt key', { qestion: 'Q', options: two }, /Unknown key `qestion`.*did you mean `question`/],
    ['an unlike key', { question: 'Q', temperature: 1 }, /Unknown key `temperature`.*known keys: question/],
    ['options of an open question', { question: 'Q', options: two, kind: 'open' }, /open has no `options`/],
    ['an unknown kind', { question: 'Q', kind: 'chioce' }, /did you mean choice/],
    ['an answer that is no option', { question: 'Q', options: two, answer: 'C' }, /a letter from A to B, got "C"/],
    ['an answer that is no word of three', { question: 'Q', context: 'c', answer: 'perhaps' }, /yes, no or maybe/],
    ['a context of numbers', { question: 'Q', context: [1] }, /`context\[0\]`/],
    ['no messages', { messages: [] }, /at least one message/],
    [
      'an unknown role',
      { messages: [{ role: 'tool', content: 'x' }] },
      /`messages\[0\]\.role`.*system, user, assistant/,
    ],
    ['a conversation that starts wrongly', { messages: [{ role: 'assistant', content: 'x' }] }, /to be user/],
    [
      'a conversation that ends with the assistant',
      {
        messages: [
          { role: 'user', content: 'x' },
          { role: 'assistant', content: 'y' },
        ],
      },
      /last message to be from the user/,
    ],
    [
      'a later system message',
      {
        messages: [
          { role: 'user', content: 'x' },
          { role: 'system', content: 'y' },
        ],
      },
      /messages\[1\]/,
    ],
    ['an unknown key in a message', { messages: [{ role: 'user', content: 'x', name: 'n' }] }, /`name`.*messages\[0\]/],
  ])('%s is refused with what was expected and what came', (_, value, message) => {
    expect(refusal(() => parseQuestion(value))).toMatch(message);
  });

  test('a huge question is refused with the numbers, and the message stays short', () => {
    const message = refusal(() => parseQuestion({ question: 'a'.repeat(maxQuestionLength + 1) }));
    expect(message).toMatch(/at most 1000000 characters, got 1000001/);
    expect(message.length).toBeLessThan(200);
  });
});

describe('parseQuestionText', () => {
  test.each([
    ['dots', 'Which?\nA. one\nB. two'],
    ['brackets', 'Which?\nA) one\nB) two'],
    ['closed brackets', 'Which?\n(A) one\n(B) two'],
    ["the authors' form", 'Question: Which?\n\nOptions:\nA. one\nB. two\n'],
    ['Windows lines and a byte order mark', '\uFEFFWhich?\r\nA. one\r\nB. two\r\n'],
    ['JSON', ' {"question": "Which?", "options": {"A": "one", "B": "two"}}'],
  ])('lettered options in the style of %s', (_, text) => {
    expect(parseQuestionText(text)).toEqual({ kind: 'choice', question: 'Which?', options: ['one', 'two'] });
  });

  test('a last line names the known answer', () => {
    expect(parseQuestionText('Which?\nA. one\nB. two\n\nAnswer: (b)')).toMatchObject({
      options: ['one', 'two'],
      answer: 'B',
    });
  });

  test('an option may go on over several lines', () => {
    expect(parseQuestionText('Which?\nA. one\n  more of it\nB. two')).toMatchObject({
      options: ['one\n  more of it', 'two'],
    });
  });

  test('neither a stem that opens with "A." nor one that opens with "A 49-year-old" is an option', () => {
    const text = 'A. fumigatus grows.\nA 49-year-old man coughs. Why?\nA. mould\nB. virus';
    expect(parseQuestionText(text)).toEqual({
      kind: 'choice',
      question: 'A. fumigatus grows.\nA 49-year-old man coughs. Why?',
      options: ['mould', 'virus'],
    });
  });

  test('text without options is an open question, and says so', () => {
    const { question, findings } = readQuestionText('What is croup?');
    expect(question).toEqual({ kind: 'open', question: 'What is croup?' });
    expect(findings).toMatchObject([{ kind: 'no-options' }]);
  });

  test('what was taken off is reported with its line, and each line with what it was read as', () => {
    const { key, findings, lines, marks } = readQuestionText(
      '7. Which?\na) one\nb) two\n   and a half\n\nPage 3 of 10\nAnswer: b\nBecause.',
    );
    expect(key).toBe('B');
    expect(marks).toEqual(['a)', 'b)']);
    expect(findings.map(({ kind, line, text }) => [kind, line, text])).toEqual([
      ['number', 1, '7.'],
      ['renamed', 2, 'a) … b)'],
      ['footer', 6, 'Page 3 of 10'],
      ['key', 7, 'Answer: b'],
    ]);
    expect(lines?.map(({ line, as, options }) => [line, as, options?.join()])).toEqual([
      [1, 'question', undefined],
      [2, 'option', 'A'],
      [3, 'option', 'B'],
      [4, 'option', 'B'],
      [6, 'footer', undefined],
      [7, 'key', undefined],
      [8, 'explanation', undefined],
    ]);
  });

  test.each([
    ['an array', '[{"question":"Q?","options":["x","y"]}]'],
    ['broken JSON that is an array', '[{"question":'],
    ['a string', '"What is croup?"'],
    ['a number', '12'],
    ['null', 'null'],
  ])('JSON that is no question is refused as such: %s', (_, text) => {
    expect(refusal(() => parseQuestionText(text))).toMatch(/a JSON object such as .* got JSON that is no question/);
  });

  test('several lines of JSON are several questions', () => {
    expect(refusal(() => parseQuestionText('{"question":"Q?"}\n{"question":"P?"}'))).toMatch(/got 2 lines of JSON/);
  });

  test.each([undefined, null, 3, {}])('%s is no text', value => {
    expect(() => parseQuestionText(value as never)).toThrow(/Expected `text` to be a string/);
  });

  test.each([
    ...'\n \tAa1(.|->*_?"①{',
    'A. ',
    'A) x ',
    'A. x\n',
    '- x\n',
    '> x\n',
    'Answer: ',
    '?\n',
    '(1%) ',
    '|a|b|\n',
    '<br>',
    '{=~',
  ])('a megabyte of %j is read or refused in linear time', part => {
    const text = `Which?\nA. x\nB. y${part.repeat(1_000_000 / part.length)}z`;
    for (const given of [text, text.slice(18)])
      expect(() => {
        try {
          parseQuestionText(given);
        } catch (error) {
          if (!(error instanceof MeditronError)) throw error;
        }
      }).not.toThrow();
  });

  test.each([
    ['blank text', ' \n', /got blank text/],
    ['one option', 'Which?\nA. one', /2 to 26 options, got 1/],
    ['a letter twice', 'Which?\nA. one\nA. two\nB. three', /^Line 3: Expected option B next, got something else/],
    ['a missing letter', 'Which?\nA. one\nB. two\nD. four', /Expected option C next/],
    ['options without a question', 'Options:\nA. one\nB. two', /`question`/],
    ['broken JSON', '{"question": ', /not valid JSON/],
    ['a key twice in JSON', '{"question":"Q","options":{"A":"x","B":"y","A":"z"}}', /`A` is given twice/],
  ])('%s is refused', (_, text, message) => {
    expect(refusal(() => parseQuestionText(text))).toMatch(message);
  });

  test('a value that looks like a repeated key is none', () => {
    const text = '{"question":"\\"options\\": {","context":["question","question"],"kind":"open"}';
    expect(parseQuestionText(text)).toMatchObject({ question: '"options": {', context: ['question', 'question'] });
  });
});
