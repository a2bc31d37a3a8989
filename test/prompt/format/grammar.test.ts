import { describe, expect, test } from 'vitest';
import { rankedGrammar } from '../../../src/prompt/format/grammar.js';
import { maxRankedItems } from '../../../src/prompt/format/open.js';

/** The language of the grammar as a regular expression: it has no recursion, so each rule can be put in place of its name. */
function languageOf(grammar: string): RegExp {
  const rules = new Map(
    grammar
      .trim()
      .split('\n')
      .map(line => line.split(' ::= ') as [string, string]),
  );
  const expand = (rule: string): string =>
    [...rules.get(rule)!.matchAll(/"((?:[^"\\]|\\.)*)"|\[(?:[^\]\\]|\\.)*\]|\w+|\{[\d,]+\}|[()?]/g)]
      .map(([token, literal]) => {
        if (literal !== undefined) return `(?:${(JSON.parse(token) as string).replace(/[[\](){}?*+.\\^$|]/g, '\\$&')})`;
        if (rules.has(token)) return `(?:${expand(token)})`;
        return token;
      })
      .join('');
  return new RegExp(`^${expand('root')}$`, 'u');
}

describe('rankedGrammar', () => {
  const language = languageOf(rankedGrammar(3, 10));

  test.each(['{"diagnoses": ["Croup"]}', ' {"diagnoses": ["Croup", "Épiglotte", "β-lactam"]}'])('allows %s', text => {
    expect(text).toMatch(language);
    expect(JSON.parse(text)).toHaveProperty('diagnoses');
  });

  test.each([
    ['an empty list', '{"diagnoses": []}'],
    ['four names', '{"diagnoses": ["a", "b", "c", "d"]}'],
    ['an empty name', '{"diagnoses": [""]}'],
    ['a name too long', '{"diagnoses": ["12345678901"]}'],
    ['a name that starts with a space', '{"diagnoses": [" a"]}'],
    ['a newline', '{"diagnoses": ["a\nb"]}'],
    ['a control character', '{"diagnoses": ["a\u0085"]}'],
    ['a direction mark', '{"diagnoses": ["a\u202E"]}'],
    ['an escape', '{"diagnoses": ["a\\u0041"]}'],
    ['more after the end', '{"diagnoses": ["a"]} x'],
  ])('does not allow %s', (_, text) => {
    expect(text).not.toMatch(language);
  });

  test('one item of one character needs no repetition', () => {
    expect(rankedGrammar(1, 1)).not.toContain('{0');
  });

  test.each([
    [0, 80],
    [maxRankedItems + 1, 80],
    [5, 0],
    [5, 2001],
    [2.5, 80],
    [Number.NaN, 80],
  ])('%d items of %d characters are refused', (items, length) => {
    expect(() => rankedGrammar(items, length)).toThrow(/Expected `(items|maxLength)`/);
  });
});
