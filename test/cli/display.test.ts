import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { labelledLines } from '../../src/cli/terminal/lines.js';
import { oneLine, plain } from '../../src/cli/terminal/plain.js';

test('no control character reaches the terminal but newline and tab', () => {
  expect(plain('a\x1b[2J\x1b]0;title\x07b\r\x00\x7f\x9b31m\u202e')).toBe('a␛[2J␛]0;title␇b␍␀␡\uFFFD31m\uFFFD');
  expect(plain('Dose:\t10⁵ µg\n½ 💊 é')).toBe('Dose:\t10⁵ µg\n½ 💊 é');
  expect(oneLine('a\nb\tc')).toBe('a¶b→c');
});

test('showing text piece by piece shows what showing it whole would', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.integer({ min: 0, max: 0xff }).map(c => String.fromCharCode(c)) }),
      fc.nat(),
      (text, n) => {
        const cut = n % (text.length + 1);
        expect(plain(text.slice(0, cut)) + plain(text.slice(cut))).toBe(plain(text));
      },
    ),
  );
});

test('a line is written as soon as it is whole, at a space before column 100', () => {
  const written: string[] = [];
  const lines = labelledLines(text => written.push(text));
  lines.text(0, 'first\nsec');
  expect(written).toEqual(['[1] first\n']);
  lines.text(1, 'word '.repeat(21));
  expect(written[1]).toBe(`[2] ${'word '.repeat(20).trimEnd()}\n`);
  lines.text(0, 'ond');
  lines.end(0, 'end');
  lines.end(1, 'cancelled');
  expect(written.slice(2)).toEqual(['[1] second\n', '[2] word\n', '[2] (interrupted)\n']);
});

test('no word is split and none is lost, however the text comes in pieces', () => {
  const word = fc.string({ unit: fc.constantFrom('a', 'b', 'é'), minLength: 1, maxLength: 130 });
  const space = fc.constantFrom(' ', ' ', '\n', '  ');
  fc.assert(
    fc.property(fc.array(fc.tuple(word, space), { maxLength: 30 }), fc.integer({ min: 1, max: 9 }), (pairs, size) => {
      const text = pairs.flat().join('');
      let written = '';
      const lines = labelledLines(piece => {
        written += piece;
      });
      for (let i = 0; i < text.length; i += size) lines.text(0, text.slice(i, i + size));
      lines.close();
      const words = written.split('\n').flatMap(line => line.replace(/^\[1\] /, '').split(' '));
      expect(words.filter(Boolean)).toEqual(text.split(/\s+/).filter(Boolean));
    }),
  );
});

test('nothing is printed that the fonts of old consoles lack', () => {
  // Of WGL4, which every font of Windows' console has, and Linux' console too.
  const known = new Set('–…’−×·●│±→¶');
  // Signs that stand for control characters of a text; a font without them shows a box.
  const pictures = new Set('␛␡');
  const folder = join(import.meta.dirname, '..', '..', 'src', 'cli');
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(name => name.endsWith('.ts'));
  const others = files.flatMap(name =>
    [...readFileSync(join(folder, name), 'utf8')]
      .filter(sign => sign > '~' && !known.has(sign) && !pictures.has(sign))
      .map(sign => `${name}: ${sign}`),
  );
  expect(others).toEqual([]);
});
