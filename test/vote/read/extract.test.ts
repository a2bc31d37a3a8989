import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { protocols } from '../../../src/types.js';
import { extractAuthors } from '../../../src/vote/read/authors.js';
import { type AnswerForm, extract } from '../../../src/vote/read/extract.js';
import { extractStrict } from '../../../src/vote/read/strict.js';

const letters = ['A', 'B', 'C', 'D', 'E'];
const O: AnswerForm = {
  kind: 'mcq',
  letters,
  optionTexts: ['Choroid plexus cyst', 'Nuchal translucency', 'Cystic hygroma', 'Diabetes', 'Epilepsy'],
};
const P: AnswerForm = {
  kind: 'mcq',
  letters,
  optionTexts: ['D-dimer', 'Escherichia coli', 'C-reactive protein', 'E. coli', 'Clostridium'],
};
const yesNo: AnswerForm = { kind: 'boolean' };

type Vector = [output: string, authors: string | undefined, strict: string | undefined];

const chains: Vector[] = [
  ['…associated.\nThe answer is: C ###', 'C', 'C'],
  ['The answer is: (C) Cystic hygroma', 'C', 'C'],
  ['The answer is: **C**', 'C', 'C'],
  ['So the correct answer is option B.', undefined, 'B'],
  ['The correct option is C.', undefined, 'C'],
  ['The answer is: C. The answer is not A.', undefined, 'C'],
  ['The answer is: B. Wait, the answer is not B. The answer is: D', 'D', 'D'],
  ['The answer is: C but some say the answer is unclear', undefined, 'C'],
  ['The answer is: ｃ', undefined, 'C'],
  ['Reasoning\n## Assessment\nThe answer is: C', 'A', 'C'],
  ['The answer is: C.\n\n', 'C', 'C'], // what is left if the stop string ### cut the next one
  ['The answer is: C.\n\n### User: next\n…A', undefined, 'C'],
  ['C', 'C', 'C'],
  ['(C)', 'C', 'C'],
  ['C.', 'C', 'C'],
  ['Based on the history', 'B', undefined],
  ['A 49-year-old man', 'A', undefined],
  ['Dehydration is unlikely', 'D', undefined],
  ['Answer: C', 'A', 'C'],
  ['The answer is: diabetes (B)', 'D', 'B'],
  ['The answer is a beta blocker', 'A', undefined],
  ['The answer is: B or C', 'B', undefined],
  ['The answer is: F', undefined, undefined],
];

const overP: Vector[] = [
  ['The answer is: D-dimer', 'D', 'A'],
  ['The answer is: E. coli', 'E', 'D'],
  ['The answer is: E. coli (B)', 'E', 'B'],
  ['The answer is: B. Escherichia coli', 'B', 'B'],
];

describe("the authors' reading and ours, side by side", () => {
  test.each(chains)('%j', (output, authors, strict) => {
    expect(extractAuthors(output, { kind: 'mcq', shots: false, cot: true }).answer).toBe(authors);
    expect(extractStrict(output, O).answer).toBe(strict);
  });

  test.each(overP)('%j, where options begin with letters', (output, authors, strict) => {
    expect(extractAuthors(output, { kind: 'mcq', shots: false, cot: true }).answer).toBe(authors);
    expect(extractStrict(output, P).answer).toBe(strict);
  });

  test('after demonstrations the authors read up to the first blank line', () => {
    const shots = { kind: 'mcq', shots: true, cot: false } as const;
    expect(extractAuthors(' C. Eplerenone\n\n', shots).answer).toBe('C');
    expect(extractAuthors(' yes\nBackground of', { ...shots, kind: 'boolean' }).answer).toBeUndefined();
    expect(extractAuthors(' yes\n\nBackground of', { ...shots, kind: 'boolean' }).answer).toBe('yes');
    expect(extractStrict(' yes\nBackground of', yesNo).answer).toBe('yes');
  });

  test.each<[string, boolean, string | undefined, string | undefined]>([
    ['maybe', false, undefined, 'maybe'],
    [' Yes, it is', false, undefined, 'yes'],
    ['The answer is: not clear', true, undefined, undefined],
    ['The answer is: yes, in most', true, 'yes', 'yes'],
  ])('yes or no: %j', (output, cot, authors, strict) => {
    expect(extractAuthors(output, { kind: 'boolean', shots: false, cot }).answer).toBe(authors);
    expect(extractStrict(output, yesNo).answer).toBe(strict);
  });
});

describe("the authors' reading", () => {
  test('an unparsed text votes as itself, in lower case', () => {
    const read = extract('authors-code', 'So the correct answer is option B.', O);
    expect(read).toEqual({
      answer: undefined,
      vote: 'so the correct answer is option b.',
      conflict: false,
      rule: 'none',
    });
  });

  test.each([
    ['yesyes', 'yes'],
    ['nono', 'no'],
    ['yesno', 'yes'],
    ['noyes', 'no'],
  ])('the doubled answer %s is read as %s', (doubled, answer) => {
    expect(extractAuthors(doubled, { kind: 'boolean', shots: false, cot: false }).answer).toBe(answer);
  });

  test('a letter outside A to E is never accepted, a letter in a yes/no question is', () => {
    expect(
      extract('authors-code', 'The answer is: F', { kind: 'mcq', letters: [...letters, 'F'] }).answer,
    ).toBeUndefined();
    expect(extract('authors-code', 'The answer is: a', yesNo).answer).toBe('a');
  });

  test('the word after the cue decides by its first letter', () => {
    expect(extract('authors-code', 'The answer is: Clearly B', O).answer).toBe('C');
    expect(extract('authors-code', 'The answer isolates B', O).answer).toBeUndefined();
    expect(extract('authors-code', 'The answer\nis: B', O).answer).toBe('B');
  });
});

describe('the strict reading', () => {
  const read = (text: string, form: AnswerForm = O) => extractStrict(text, form);

  test('an earlier, different answer sets the conflict flag, a repeated one does not', () => {
    expect(read('The answer is: B. No. The answer is: D')).toMatchObject({ answer: 'D', conflict: true });
    expect(read('The answer is: D. Again, the answer is: D')).toMatchObject({ answer: 'D', conflict: false });
    expect(read('The user wrote "the answer is A". The answer is: B')).toMatchObject({ answer: 'B', conflict: true });
  });

  test.each<[string, string | undefined]>([
    ['**Answer:** C', 'C'],
    ['**Answer**: C', 'C'],
    ['The answer is: _C_', 'C'],
    ['The answer is: `C`', 'C'],
    ['The answer is “C”', 'C'],
    ['{"answer": "C"}', 'C'],
    ['THE ANSWER IS C', 'C'],
    ['The answer = C', 'C'],
    ['The answer is = C', 'C'],
    ['The answer is:\nC', 'C'],
    ['The answer is:\r\n\r\n(C)', 'C'],
    ['The answer is: C</s>', 'C'],
    ['The answer is: C<|im_end|>', 'C'],
    ['The answer is: [C]', 'C'],
    ['The answer is: (c)', 'C'],
    ['The answer is: c)', 'C'],
    ['The answer is: c.', 'C'],
    ['The answer is: c, because', 'C'],
    ['The answer is: c because', undefined],
    ['The answer is: (C', undefined],
    ['The answer is: (C Cystic hygroma', undefined],
    ['The answer is: (C] Cystic hygroma', undefined],
    ['The answer is: (C: Cystic hygroma)', 'C'],
    ['The answer is: C: Cystic hygroma', 'C'],
    ['The answer is: C. cystic hygroma', 'C'],
    ['The answer is: C. difficile', undefined],
    ['The answer is: C-reactive protein', undefined],
    ['The answer is: C‑reactive protein', undefined],
    ['The answer is: C/EBP', undefined],
    ["The answer is: A's", undefined],
    ['The answer is: A’s', undefined],
    ['The answer is: B-12', undefined],
    ['The answer is: A+ cells', undefined],
    ['The answer is: A patient should rest', undefined],
    ['The answer is: A', 'A'],
    ['The answer is: A.', 'A'],
    ['The answer is: A Choroid plexus cyst', 'A'],
    ['The answer is: Choroid plexus cyst', 'A'],
    ['The answer is: the "choroid-plexus cyst".', 'A'],
    ['The answer is: choroid plexus', undefined],
    ['The answer is: B and C', undefined],
    ['The answer is: B, C', undefined],
    ['The answer is: B, or C', undefined],
    ['The answer is: B and/or C', undefined],
    ['The answer is: B/C', undefined],
    ['The answer is: B & C', undefined],
    ['The answer is: (B) or (C)', undefined],
    ['The answer is: (B) or C', undefined],
    ['The answer is: b or c', undefined],
    ['The answer is: **B** and **C**', undefined],
    ['The answer is: B or option C', undefined],
    ['The answer is: C, a benign lesion', 'C'],
    ['The answer is: C and D-dimer is low', 'C'],
    ['The answer is: diabetes (B), or rather (C)', undefined],
    ['The answer is: diabetes, not (B)', undefined],
    ['The answer is: not (B)', undefined],
    ['The answer is: notable (B)', 'B'],
    ['The answer is: receptor(s) (B)', 'B'],
    ["The answer isn't C", undefined],
    ['The answers: C', undefined],
    ['The answer is: Cystic', undefined],
    ['The answer is: C̈', undefined],
    ['The answer is: \u200bC\u200b', 'C'],
    ['The answer is: D\u00adimer', undefined],
    ['Option C is best. Option D is wrong.', undefined],
    ['I pick\n\nC', 'C'],
    ['I pick\n\n**(C).**', 'C'],
    ['I pick\n\nc', 'C'],
    ['I pick C', undefined],
    ['I pick\n\n(C', undefined],
    ['The answer is unclear\nC', undefined],
    ['C\nis my reading', 'C'],
    ['Consider each option:\nA. cyst\nB. other', undefined],
    ['Possible answer:\nA. cyst\nB. other', undefined],
    ['', undefined],
    ['###The answer is: C', undefined],
    ['The answer is: C ### The answer is: D', 'C'],
  ])('%j gives %s', (text, answer) => {
    expect(read(text).answer).toBe(answer);
  });

  test('where an option is called "B cells", the line "B cells" names it', () => {
    const cells: AnswerForm = {
      kind: 'mcq',
      letters: ['A', 'B', 'C', 'D'],
      optionTexts: ['T cells', 'Macrophages', 'B cells', 'A and B'],
    };
    expect(read('The answer is: B cells.', cells)).toMatchObject({ answer: 'C', rule: 'cue-text' });
    expect(read('The answer is: B cells because', cells).answer).toBeUndefined();
    expect(read('The answer is: A and B', cells).answer).toBe('D');
    expect(read('The answer is: B', cells).answer).toBe('B');
    expect(read('The answer is: B. Macrophages', cells).answer).toBe('B');
  });

  test('two options with the same folded text are told apart by nothing but their letter', () => {
    const ions: AnswerForm = { kind: 'mcq', letters: ['A', 'B'], optionTexts: ['Na+', 'Na-'] };
    expect(read('The answer is: Na+', ions).answer).toBeUndefined();
    expect(read('The answer is: (B) Na-', ions).answer).toBe('B');
  });

  test('up to 26 options are read, and the pronoun I is not an option', () => {
    const alphabet = Array.from({ length: 26 }, (_, i) => String.fromCharCode(65 + i));
    const all: AnswerForm = { kind: 'mcq', letters: alphabet };
    for (const letter of alphabet) expect(read(`The answer is: ${letter}`, all).answer).toBe(letter);
    expect(read('The answer is I think the last one', all).answer).toBeUndefined();
    expect(read("The answer is: I'm not sure", all).answer).toBeUndefined();
    expect(read('The answer is: X-ray', all).answer).toBeUndefined();
    expect(read('The answer is: K+ channel blocker', all).answer).toBeUndefined();
  });

  test('what extract is given is checked, whatever the protocol', () => {
    const wrong: [protocol: unknown, text: unknown, form: unknown, options: unknown][] = [
      ['foo', '', O, {}],
      [undefined, undefined, undefined, undefined],
      [protocols[0], 5, O, {}],
      ...protocols
        .flatMap(protocol => [
          ...[['A'], ['A', 'A'], ['a', 'b'], 'AB', [1, 2], undefined].map(
            given => [protocol, 'C', { kind: 'mcq', letters: given }, {}] as const,
          ),
          [protocol, 'C', { kind: 'mcq', letters, optionTexts: [1] }, {}] as const,
          [protocol, 'C', { kind: 'choice' }, {}] as const,
          [protocol, 'C', null, {}] as const,
          [protocol, 'C', { kind: 'boolean', maybe: 'no' }, {}] as const,
          [protocol, 'C', O, null] as const,
          [protocol, 'C', O, { stop: [] }] as const,
          [protocol, 'C', O, { stops: '###' }] as const,
          [protocol, 'C', O, { stops: [5] }] as const,
          [protocol, 'C', O, { shots: 1 }] as const,
          [protocol, 'C', O, { cot: 'yes' }] as const,
        ])
        .map(call => [...call] as [unknown, unknown, unknown, unknown]),
    ];
    for (const call of wrong) {
      expect(() => (extract as (...given: unknown[]) => unknown)(...call), JSON.stringify(call)).toThrow(
        expect.objectContaining({ code: 'ERR_OPTION' }),
      );
    }
  });

  test('other stop strings are cut at as well', () => {
    const text = 'The answer is: C\nQuestion: next\nThe answer is: D';
    expect(extract('strict', text, O, { stops: ['###', '\nQuestion:'] }).answer).toBe('C');
    expect(extract('paper', text, O).answer).toBe('D');
  });

  test.each<[string, string | undefined]>([
    ['yes/no', undefined],
    ['Yes or no', undefined],
    ['Yes, maybe', undefined],
    ['yesyes', undefined],
    ['No-one knows', undefined],
    ['None', undefined],
    ['**Yes**', 'yes'],
    ['NO.', 'no'],
    ['Maybe. More data are needed', 'maybe'],
    ['The answer is: maybe', 'maybe'],
    ['The answer is: (no)', 'no'],
    ['The answer is: yes/no', undefined],
    ['No effect was found. The answer is: yes', 'yes'],
    ['Yes. This answer is supported by the data', 'yes'],
    ['The answer is: yes. But the answer is: no', 'no'],
    ['It is yes', undefined],
    ['The answer is: no, not yes', 'no'],
    ['No significant difference was found', undefined],
    ['**No** significant difference', undefined],
    ['Yes it is', undefined],
    ['Maybe in adults', undefined],
    ['No\nBecause', 'no'],
    ['No - the trial was small', 'no'],
    ['No; see above', 'no'],
    ['no (p = 0.4)', 'no'],
    ['The answer is: no significant difference', undefined],
    ['The answer is: no evidence. So the answer is yes', 'yes'],
    ['The answer is no because the trial was small', 'no'],
    ['The answer is yes in most patients', 'yes'],
  ])('yes or no: %j gives %s', (text, answer) => {
    expect(read(text, yesNo).answer).toBe(answer);
  });

  test('a first word is an answer exactly when something closes it', () => {
    const said = fc.constantFrom('yes', 'no', 'maybe', 'Yes', 'NO', 'Maybe');
    const rest = fc
      .stringMatching(/^[a-z]{1,12}( [a-z]{1,12}){0,4}$/)
      .filter(words => !/\b(yes|no|maybe|or|and|answer|option|choice)\b/.test(words));
    const closings = fc.constantFrom('.', ',', ':', ';', '!', '?', ' —', '—', ' -', ' –', '\n', ' (', ')', '</s>');
    fc.assert(
      fc.property(said, closings, rest, (word, closing, words) => {
        expect(read(`${word}${closing} ${words}`, yesNo).answer).toBe(word.toLowerCase());
        expect(read(`${word} ${words}`, yesNo).answer).toBeUndefined();
        expect(read(word, yesNo).answer).toBe(word.toLowerCase());
      }),
    );
  });

  test('a letter that begins a line is an answer exactly when it is all of it', () => {
    const letter = fc.constantFrom(...letters);
    const rest = fc
      .stringMatching(/^[a-z]{2,12}( [a-z]{2,12}){0,4}$/)
      .filter(words => !/answer|option|choice/.test(words));
    fc.assert(
      fc.property(letter, fc.constantFrom('', '.', ')', ':', '\n'), rest, (first, closing, words) => {
        expect(read(`${first}${closing}`).answer).toBe(first);
        expect(read(`${first} ${words}`).answer).toBeUndefined();
      }),
    );
  });

  test('maybe can be excluded', () => {
    expect(read('maybe', { kind: 'boolean', maybe: false }).answer).toBeUndefined();
  });

  test('paper reads as strict does', () => {
    for (const [text] of chains) expect(extract('paper', text, O)).toEqual(extract('strict', text, O));
  });
});

describe('a long text is read to the end', () => {
  const long = (unit: string, length: number) => unit.repeat(Math.ceil(length / unit.length));
  const finishes = (text: string) => {
    for (const form of [O, yesNo]) {
      for (const protocol of ['strict', 'authors-code'] as const) {
        const read = extract(protocol, `${text}\n\nThe answer is: ${form === O ? 'C' : 'no'}`, form);
        expect(read.vote).toBeDefined();
      }
    }
  };

  test.each(['a', ' ', '*', '(C)', 'answer is ', 'C, '])('a million characters of %j', unit =>
    finishes(long(unit, 1e6)),
  );

  test.each([
    '\n',
    '(',
    '(C',
    'not (C) ',
    'answer ',
    'The answer is: C. ',
    'answer (',
    'the option ',
    'choice:',
    'answer is: (C. ',
    'C or ',
    'answer is C,',
    'answer is A ',
    "'",
    '. a',
    '\u0301',
    '<',
    'answer\n',
    'yes/',
    'answer is: yes or ',
    'A\n',
    'A.\nB.\n',
    'answer is:\nA.',
    '(C) answer is ',
  ])('two hundred thousand of %j', unit => finishes(long(unit, 2e5)));
});
