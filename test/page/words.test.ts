import { expect, test } from 'vitest';
import { en } from '../../page/src/words/en.js';
import { grammar, type Language, languages, locales } from '../../page/src/words/grammar.js';
import { catalogues, fitting } from '../../page/src/words/words.js';
import { notice } from '../../src/ask/types.js';

const tags = Object.keys(languages) as Language[];

test('the plural categories of the types are those of Intl', () => {
  const typed: Record<Language, readonly string[]> = {
    en: ['one', 'other'],
    fr: ['many', 'one', 'other'],
    de: ['one', 'other'],
    es: ['many', 'one', 'other'],
    pt: ['many', 'one', 'other'],
    ar: ['few', 'many', 'one', 'other', 'two', 'zero'],
  };
  for (const tag of tags)
    expect([...new Intl.PluralRules(locales[tag]).resolvedOptions().pluralCategories].sort()).toEqual(typed[tag]);
});

test('what a model is not is said word for word as the library says it', () => {
  expect(en.notice).toBe(notice);
});

test.each(tags)('%s says everything, and fills in all that is filled in', tag => {
  const lacking: string[] = [];
  compare(en, catalogues[tag], '', lacking);
  expect(lacking).toEqual([]);
});

/** Same shape, no empty text; whatever is counted, no gap stays open and every number given is said. */
function compare(english: unknown, other: unknown, path: string, lacking: string[]): void {
  if (typeof english === 'string') {
    if (typeof other !== 'string' || other.trim() === '') lacking.push(path);
  } else if (typeof english === 'function') {
    for (const n of [0, 1, 2, 3, 5, 11, 100, 1_000_000]) {
      const text = calls(other as (...given: never[]) => string, n);
      if (typeof text !== 'string' || text.trim() === '' || /#|undefined|NaN|\[object/.test(text))
        lacking.push(`${path}(${n}): ${text}`);
    }
  } else {
    const [one, two] = [english, other] as [Record<string, unknown>, Record<string, unknown>];
    expect(Object.keys(two).sort(), path).toEqual(Object.keys(one).sort());
    for (const key of Object.keys(one)) compare(one[key], two[key], `${path}.${key}`, lacking);
  }
}

/** A message with numbers wherever it takes some; lists of numbers or names where it takes lists; `put` wherever a number is none to it. */
function calls(message: (...given: never[]) => string, n: number, put?: string): string {
  const text = (given: readonly unknown[]) => message(...(given as never[]));
  const given: unknown[] =
    put === undefined ? [n, n, n, '2026-11-27'] : Array.from({ length: message.length }, () => n);
  if (put !== undefined) {
    // A message that formats what it is given shows that it wants a number there.
    for (let i = 0; i < given.length; i++) {
      try {
        if (text(given.with(i, put)).includes(put)) given[i] = put;
      } catch {}
    }
  }
  for (const tried of [given, [[n, n]]]) {
    try {
      return text(tried);
    } catch {}
  }
  return text([[put ?? 'one', put ?? 'other']]);
}

/** Every message of a language, those that take something with numbers, and with a text where they take one. */
function* said(tag: Language, put = 'x'): Generator<readonly [path: string, text: string]> {
  yield* within(catalogues[tag], tag);
  function* within(node: unknown, path: string): Generator<readonly [path: string, text: string]> {
    if (typeof node === 'string') yield [path, node];
    else if (typeof node === 'function')
      for (const n of [0, 1, 2, 3, 11, 1_000_000])
        yield [`${path}(${n})`, calls(node as (...given: never[]) => string, n, put)];
    else for (const [key, inner] of Object.entries(node as object)) yield* within(inner, `${path}.${key}`);
  }
}

const spaced = '[\\u00a0\\u202f]';

test('signs and units stay with the word before them, as each language writes them', () => {
  const wrong = (tag: Language, pattern: RegExp) => [...said(tag)].filter(([, text]) => pattern.test(text));
  // In French a space that does not break stands before these signs, and inside quotation marks.
  expect(wrong('fr', new RegExp(`(?<!${spaced})[:;?!»%](?!\\w)|«(?!${spaced})`))).toEqual([]);
  for (const tag of ['es', 'pt', 'ar'] as const) expect(wrong(tag, /\s[:;?!»،؛؟]|«\s/)).toEqual([]);
  for (const tag of tags) {
    expect(wrong(tag, /\d (?:%|[kMG]?[Bo]\b)/)).toEqual([]);
    // Dots that leave something open stand by themselves in English and German alone.
    expect(wrong(tag, tag === 'en' || tag === 'de' ? / …/ : /\s…/)).toEqual([]);
  }
});

test('in a sentence from right to left, what is put in keeps its own order', () => {
  const put = 'B. Apixaban 5 mg (twice daily)';
  for (const [path, text] of said('ar', put))
    expect(text.replaceAll(`\u2068${put}\u2069`, ''), path).not.toContain('Apixaban');
  expect(grammar('fr').isolated('وارفارين 5 mg')).toBe('\u2068وارفارين 5 mg\u2069');
  expect(grammar('fr').isolated('warfarine 5 mg')).toBe('warfarine 5 mg');
});

test('one is spoken of as one', () => {
  const counted: Record<string, (tag: Language, n: number) => string> = {
    answered: (tag, n) => catalogues[tag].thinking.answered(n, 5),
    spoken: (tag, n) => catalogues[tag].thinking.spoken(n, 5),
    some: (tag, n) => catalogues[tag].answer.some(n, 5),
    says: (tag, n) => catalogues[tag].answer.says(n, 'B'),
    right: (tag, n) => catalogues[tag].evaluate.right(n, 5),
    accuracy: (tag, n) => catalogues[tag].answer.accuracy(4, n, 'own', 'today'),
  };
  /** Where the words do not change with the number. */
  const alike = {
    answered: ['en', 'ar'],
    spoken: ['ar'],
    some: ['ar'],
    says: ['ar'],
    right: ['en', 'de', 'ar'],
    accuracy: [],
  };
  for (const [name, text] of Object.entries(counted))
    for (const tag of tags)
      expect(text(tag, 1).replace('1', '2') === text(tag, 2), `${name} ${tag}`).toBe(
        (alike as Record<string, readonly string[]>)[name]!.includes(tag),
      );
});

test('a number is not lost on the way', () => {
  for (const tag of tags) {
    const { answer, thinking } = catalogues[tag];
    expect(answer.some(4, 5)).toMatch(/4.*5/);
    expect(answer.stopped(2, 99)).toMatch(/2.*99/);
    expect(thinking.reading(312, 540)).toMatch(/312.*540/);
    expect(answer.accuracy(52, 100, 'MedQA', '12')).toContain('MedQA');
    // Nobody reads "100 %" where all chains agree.
    expect(answer.all(5)).not.toContain('%');
  }
});

test('an accuracy of few questions is told as it was counted', () => {
  expect(en.answer.accuracy(10, 12, 'own', 'today')).toContain('10 times');
  expect(en.answer.accuracy(662, 1273, 'MedQA', 'today')).toContain('52 of 100 times');
});

test('the language is the first that the browser asks for and the page has', () => {
  expect(fitting(['nl-NL', 'pt-BR', 'en'])).toBe('pt');
  expect(fitting(['xx'])).toBe('en');
  expect(fitting([])).toBe('en');
});

test('times are told in steps that do not flicker, and doses keep their digits in Arabic', () => {
  const { duration, bytes } = grammar('en');
  expect([400, 4_000, 41_000, 119_000, 125_000, 8_000_000].map(duration)).toEqual([
    '1 second',
    '4 seconds',
    '40 seconds',
    '120 seconds',
    '2 minutes',
    '2 hours',
  ]);
  expect([bytes(300), bytes(7_525_472), bytes(4_081_000_000)]).toEqual(['1\u00a0kB', '8\u00a0MB', '4.1\u00a0GB']);
  expect(grammar('ar').number(312)).toBe('312');
});
