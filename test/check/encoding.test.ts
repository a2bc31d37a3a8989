import { isUtf8 } from 'node:buffer';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type CodePage, decodeText, EncodingError, textDecoder } from '../../src/check/encoding.js';

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

describe('with a code page', () => {
  /** Another implementation stands for the system. */
  const system = (label: string, warnings: string[] = []): CodePage => {
    const decoder = new TextDecoder(label, { fatal: true });
    return {
      decode(lines) {
        if (lines.length === 0) return undefined; // as Windows
        try {
          return { text: decoder.decode(lines), page: 0 };
        } catch {
          return undefined;
        }
      },
      warn: message => warnings.push(message),
    };
  };

  /** What comes of a text in pieces, and what is warned of. */
  const inPieces = (bytes: Uint8Array, size: number, label: string) => {
    const warnings: string[] = [];
    try {
      const decoder = textDecoder(bytes.subarray(0, size), system(label, warnings));
      let text = '';
      for (let at = 0; at < bytes.length; at += size) text += decoder.decode(bytes.subarray(at, at + size));
      return { text: text + decoder.decode(), warnings };
    } catch (error) {
      return { error: error as Error };
    }
  };

  /** Bytes in lines, as a person's text has them, in some 8-bit encoding, in UTF-8, or in both. */
  const line = fc.oneof(
    fc.string({ unit: 'grapheme-ascii' }).map(text => Buffer.from(text)),
    fc.string({ unit: fc.constantFrom(...'aä ß日é') }).map(text => Buffer.from(text)),
    // Without DEL, for which Node's shift_jis (IBM's, by ICU) has another sign than Windows and every other code page.
    fc.uint8Array({ min: 32, max: 255, maxLength: 6 }).map(bytes => Buffer.from(bytes.filter(byte => byte !== 0x7f))),
  );
  const texts = fc.array(line, { maxLength: 5 }).map(lines => {
    const bytes = Buffer.concat(lines.flatMap(each => [each, Buffer.from('\n')])).subarray(0, -1);
    // What begins like UTF-16 or UTF-32 is another matter.
    return bytes[0]! >= 0xfe ? bytes.subarray(1) : bytes;
  });

  test.each(['windows-1252', 'windows-1251', 'shift_jis', 'gbk'])(
    '%s: a text is UTF-8, or is read by the code page with a warning, or is refused; never anything else, in whatever pieces it comes',
    label => {
      fc.assert(
        fc.property(texts, fc.integer({ min: 2, max: 9 }), (bytes, size) => {
          const { text, warnings, error } = inPieces(bytes, size, label);
          const whole = inPieces(bytes, bytes.length + 2, label);
          expect(error === undefined ? whole : { refused: whole.error !== undefined }).toEqual(
            error === undefined ? { text, warnings } : { refused: true },
          );
          if (error) expect(error).toBeInstanceOf(EncodingError);
          else if (isUtf8(bytes))
            expect({ text, warnings }).toEqual({ text: new TextDecoder().decode(bytes), warnings: [] });
          else {
            expect({ text, warnings: warnings.length }).toEqual({
              text: new TextDecoder(label).decode(bytes),
              warnings: 1,
            });
            const beyond = bytes
              .toString('latin1')
              .split('\n')
              .map(part => Buffer.from(part, 'latin1'));
            expect(beyond.filter(part => part.some(byte => byte > 0x7f) && isUtf8(part))).toEqual([]);
          }
        }),
        { numRuns: 500 },
      );
    },
  );

  test('a control character in a line of ASCII is as little a matter as without a code page', () => {
    const bytes = Buffer.from('a\x7f\nM\xfcde', 'latin1');
    for (const size of [3, bytes.length])
      expect(inPieces(bytes, size, 'windows-1252')).toMatchObject({ text: 'a\x7f\nMüde' });
  });

  test('the warning names the code page, the line, and a word as it was read', () => {
    const warnings: string[] = [];
    const bytes = Buffer.from('Which?\r\nA) der Müdigkeit wegen\r\nB) Übelkeit', 'latin1');
    expect(decodeText(bytes, system('windows-1252', warnings))).toBe(bytes.toString('latin1'));
    expect(warnings).toEqual([expect.stringMatching(/line 2.*code page.*"Müdigkeit".*save it as UTF-8/)]);
  });

  test.each([
    ['a byte that stands for nothing', Buffer.from([0x4d, 0x81, 0x64, 0x65])],
    ['a program', Buffer.from([0x4d, 0x5a, 0x90, 0x00, 0x03, 0x41, 0x41, 0x42, 0xff, 0xe9])],
    ['UTF-8 that was joined to it', Buffer.concat([Buffer.from('Müde\n'), Buffer.from('Müde', 'latin1')])],
  ])('%s is refused', (_, bytes) => {
    expect(() => decodeText(bytes, system('windows-1252'))).toThrow(/not UTF-8 text \(line \d\); save it/);
  });
});
