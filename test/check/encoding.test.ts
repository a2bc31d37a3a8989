import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeText, EncodingError, textDecoder } from '../../src/check/encoding.js';

const utf16be = (text: string) => Buffer.from(`\uFEFF${text}`, 'utf16le').swap16();

describe('text is read as it was written', () => {
  test.each([
    ['UTF-8', (text: string) => Buffer.from(text)],
    ['UTF-8 with its mark', (text: string) => Buffer.from(`\uFEFF${text}`)],
    ['UTF-16LE with its mark, as PowerShell 5 writes it', (text: string) => Buffer.from(`\uFEFF${text}`, 'utf16le')],
    ['UTF-16BE with its mark', utf16be],
  ])('%s, whole and in pieces', (_, encode) => {
    const text = fc.string({ unit: 'grapheme' }).filter(given => !/^\uFEFF|\0/.test(given));
    fc.assert(
      fc.property(text, fc.integer({ min: 2, max: 9 }), (given, size) => {
        const bytes = encode(given);
        expect(decodeText(bytes)).toBe(given);
        const decoder = textDecoder(bytes.subarray(0, size));
        let pieces = '';
        for (let at = 0; at < bytes.length; at += size) pieces += decoder.decode(bytes.subarray(at, at + size));
        expect(pieces + decoder.decode()).toBe(given);
      }),
    );
  });
});

test.each([
  ['cp1252', Buffer.from('Fieber\r\nMüdigkeit', 'latin1'), /not UTF-8 text \(line 2\)/],
  ['cp850', Buffer.from([0x4d, 0x81, 0x64, 0x65]), /not UTF-8/],
  ['Shift JIS', Buffer.from([0x93, 0xfa, 0x96, 0x7b]), /not UTF-8/],
  ['a letter cut in two', Buffer.from('Mü').subarray(0, 2), /not whole UTF-8/],
  ['UTF-16 cut in a letter', Buffer.from('\uFEFFab', 'utf16le').subarray(0, 5), /not whole UTF-16/],
  ['UTF-16LE without its mark', Buffer.from('A question?', 'utf16le'), /UTF-16 text without its mark/],
  ['UTF-32', Buffer.from([0xff, 0xfe, 0, 0, 0x41, 0, 0, 0]), /UTF-32/],
])('%s is refused, and how to save it is said', (_, bytes, why) => {
  expect(() => decodeText(bytes)).toThrow(EncodingError);
  expect(() => decodeText(bytes)).toThrow(why);
  expect(() => decodeText(bytes)).toThrow(/save it as UTF-8 \(Notepad/);
});
