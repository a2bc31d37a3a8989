import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cleanText } from '../../../src/prompt/hygiene/hygiene.js';

const doses = [
  '5 µg',
  '5 μg',
  '10⁵ CFU/mL',
  'CO₂',
  '≤ 0,5 mg/kg',
  '≥2.5 mmol·L⁻¹',
  '½ tablet',
  '¼',
  '37,5 °C',
  '1 × 10⁻³',
  '±2',
  '5 000 IU',
  '50–100 mL',
  'β₂',
  '٣ mg',
  'naïve',
  '２ mg full width',
];

describe('cleanText', () => {
  test.each(doses)('%s passes through byte for byte', text => {
    expect(cleanText(text)).toEqual({ text, findings: [] });
  });

  test('doses survive inside any other text', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary' }),
        fc.constantFrom(...doses),
        fc.string({ unit: 'binary' }),
        (a, dose, b) => {
          expect(cleanText(`${a} ${dose} ${b}`).text).toContain(` ${dose} `);
        },
      ),
    );
  });

  test.each([
    ['bidirectional overrides', 'a\u202Eb\u2066c\u2069', 'abc', 'direction', 'U+202E U+2066 U+2069'],
    ['tag characters', 'a\u{E0041}\u{E007F}b', 'ab', 'tag', 'U+E0041 U+E007F'],
    ['byte order marks', '\uFEFFab', 'ab', 'invisible', 'U+FEFF'],
    ['zero-width spaces', 'a\u200Bb', 'ab', 'invisible', 'U+200B'],
    ['NUL and other controls', 'a\0b\x1B[31m\x9B', 'ab[31m', 'control', 'U+0000 U+001B U+009B'],
  ])('%s are removed and reported', (_, text, clean, kind, detail) => {
    expect(cleanText(text, 'question').text).toBe(clean);
    expect(cleanText(text, 'question').findings).toEqual([
      { where: 'question', kind, action: 'removed', count: detail.split(' ').length, detail },
    ]);
  });

  test('line ends become newlines, so that no two words or doses run together', () => {
    expect(cleanText('5 mg\r\n10\r20\f30\v40\x8550\u202860').text).toBe('5 mg\n10\n20\n30\n40\n50\n60');
    expect(cleanText('a\tb\n').findings).toEqual([]);
  });

  test('ligatures of PDF files become their letters, and are reported', () => {
    expect(cleanText('ﬁbrillation, eﬀusion, ﬂow, diﬃcult, ruﬄe, ﬅ, ﬆ').text).toBe(
      'fibrillation, effusion, flow, difficult, ruffle, st, st',
    );
    expect(cleanText('ﬁ ﬂ', 'question').findings).toEqual([
      { where: 'question', kind: 'ligature', action: 'replaced', count: 2, detail: 'U+FB01 U+FB02' },
    ]);
    const pieces = fc.array(fc.constantFrom(...'ﬀﬁﬂﬃﬄﬅﬆ', ...doses), { minLength: 1 }).map(parts => parts.join(' '));
    fc.assert(
      fc.property(pieces, text => {
        expect(cleanText(text).text).toBe(text.replace(/[ﬀ-ﬆ]/g, found => found.normalize('NFKC')));
      }),
    );
  });

  test('a character keeps thirty combining marks, and loses more with a finding', () => {
    const marks = (count: number) => `a${'\u0316'.repeat(count)}b`;
    expect(cleanText(marks(30))).toEqual({ text: marks(30), findings: [] });
    expect(cleanText(marks(31)).text).toBe(marks(30));
    expect(cleanText(marks(5000)).findings).toMatchObject([{ kind: 'marks', action: 'removed', count: 1 }]);
  });

  test('half a surrogate pair becomes U+FFFD; whole pairs stay', () => {
    expect(cleanText('a\uD800b🫀\uDC00').text).toBe('a\uFFFDb🫀\uFFFD');
    expect(cleanText('\uD800').findings[0]).toMatchObject({ kind: 'surrogate', action: 'replaced', detail: 'U+D800' });
  });

  test.each([
    ['joiner', 'a\u200Db\u200C'],
    ['variation', '❤\uFE0F'],
    ['soft-hyphen', 'hyper\u00ADtension'],
    ['private-use', '\uE000'],
  ])('%s is kept and flagged', (kind, text) => {
    expect(cleanText(text).text).toBe(text);
    expect(cleanText(text).findings).toMatchObject([{ kind, action: 'kept' }]);
  });

  test('text is composed and never compatibility-folded', () => {
    expect(cleanText('e\u0301').text).toBe('é');
    expect(cleanText('e\u0301').findings).toMatchObject([{ kind: 'normalised', action: 'rewritten' }]);
  });

  test('cleaning twice is cleaning once, and leaves nothing to remove', () => {
    const nasty = fc.constantFrom(
      '\u202E',
      '\u200B',
      '\r',
      '\n',
      '\0',
      '\u0301',
      'e',
      '\uD800',
      '\uDC00',
      '\u{E0041}',
      '#',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: 'binary' }),
          fc.array(nasty).map(parts => parts.join('')),
        ),
        text => {
          const once = cleanText(text).text;
          const twice = cleanText(once);
          expect(twice.text).toBe(once);
          expect(twice.findings.filter(finding => finding.action !== 'kept')).toEqual([]);
          expect(once).not.toMatch(
            /[\0-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufeff\u{e0000}-\u{e007f}\p{Surrogate}]/u,
          );
        },
      ),
    );
  });
});
