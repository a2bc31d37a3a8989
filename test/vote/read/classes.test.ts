import fc from 'fast-check';
import { expect, test } from 'vitest';
import { answerClasses } from '../../../src/vote/read/classes.js';
import { extract } from '../../../src/vote/read/extract.js';

const letters = ['A', 'B', 'C', 'D'];

test('under strict equal options are one answer, named by the first of their letters', () => {
  const texts = fc.array(fc.constantFrom('5', ' 5', '5 ', '1', 'é', 'e\u0301'), { minLength: 4, maxLength: 4 });
  fc.assert(
    fc.property(texts, options => {
      const { labels, of, members, warning } = answerClasses('strict', letters, options);
      const same = (a: string) => options[letters.indexOf(a)]!.trim().normalize('NFC');
      for (const a of letters) {
        expect(labels).toContain(of(a));
        for (const b of letters) expect(of(a) === of(b)).toBe(same(a) === same(b));
        expect(of(a) <= a).toBe(true);
      }
      expect(members.flat().sort()).toEqual(letters);
      expect(warning === undefined).toBe(labels.length === 4);
    }),
  );
});

test.each(['paper', 'authors-code'] as const)('%s counts letters, and says so', protocol => {
  const { labels, of, warning } = answerClasses(protocol, letters, ['5', '1', '5', '3']);
  expect(labels).toEqual(letters);
  expect(of('C')).toBe('C');
  expect(warning).toBe(`Options have the same text: A = C; under ${protocol} each letter counts for itself`);
});

test('case and punctuation tell options apart, and an answer outside of them is left as it is', () => {
  const { labels, of } = answerClasses('strict', letters, ['Na+', 'Na-', 'na+', 'Na+.']);
  expect(labels).toEqual(letters);
  expect(of('some text')).toBe('some text');
  expect(answerClasses('strict', ['yes', 'no', 'maybe'])).toMatchObject({
    labels: ['yes', 'no', 'maybe'],
    warning: undefined,
  });
});

test('a chain that names the text of equal options names their answer under strict, and none where letters count', () => {
  const form = { kind: 'mcq', letters, optionTexts: ['five', 'one', 'five', 'three'] } as const;
  expect(extract('strict', 'The answer is: five', form).answer).toBe('A');
  expect(extract('paper', 'The answer is: five', form).answer).toBeUndefined();
  expect(extract('strict', 'The answer is: C', form).answer).toBe('C');
});
