/**
 * Text from a file or a pipe: UTF-8, or UTF-16 with its mark, as Windows PowerShell writes it. The mark is taken off. Other encodings have
 * no mark, so that none is guessed at.
 *
 * @throws EncodingError with the line and how to save the text
 */
export function decodeText(bytes: Uint8Array): string {
  const decoder = textDecoder(bytes);
  return decoder.decode(bytes) + decoder.decode();
}

/** Decodes a text in pieces; what it returns for the last, an empty call, has to be taken too. */
export interface Decoder {
  /** @throws EncodingError */
  decode(piece?: Uint8Array): string;
}

/** Chooses by the beginning of a text, two bytes at least where there are so many. @throws EncodingError */
export function textDecoder(beginning: Uint8Array): Decoder {
  const encoding = encodingOf(beginning);
  const decoder = new TextDecoder(encoding, { fatal: true });
  let line = 1;
  return {
    decode(piece) {
      try {
        const text = piece === undefined ? decoder.decode() : decoder.decode(piece, { stream: true });
        for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) line++;
        return text;
      } catch (cause) {
        if (encoding !== 'utf-8' || piece === undefined)
          throw new EncodingError(`it is not ${name(encoding)} text`, cause);
        throw new EncodingError(`it is not UTF-8 text (line ${line + validLines(piece)})`, cause);
      }
    },
  };
}

/** Whether a text begins with the mark of UTF-16. */
export function isUtf16(beginning: Uint8Array): boolean {
  const [a, b] = beginning;
  return (a === 0xff && b === 0xfe) || (a === 0xfe && b === 0xff);
}

/** A text whose encoding is not one that is read, and how to save it. */
export class EncodingError extends Error {
  constructor(what: string, cause?: unknown) {
    super(`${what}; ${howToSave}`, { cause });
  }
}

const howToSave =
  'save it as UTF-8 (Notepad: Save as, encoding UTF-8; Excel: CSV UTF-8; PowerShell: Set-Content -Encoding utf8)';

function encodingOf(start: Uint8Array): 'utf-8' | 'utf-16le' | 'utf-16be' {
  const [a, b, c, d] = start;
  const utf32 = (a === 0xff && b === 0xfe && c === 0 && d === 0) || (a === 0 && b === 0 && c === 0xfe && d === 0xff);
  if (utf32) throw new EncodingError('it is UTF-32 text');
  if (a === 0xff && b === 0xfe) return 'utf-16le';
  if (a === 0xfe && b === 0xff) return 'utf-16be';
  // Without its mark, UTF-16 in Latin letters is valid UTF-8: every other byte is zero.
  const head = start.subarray(0, 64);
  if (head.length >= 2 && head.filter(byte => byte === 0).length * 3 > head.length)
    throw new EncodingError('it seems to be UTF-16 text without its mark');
  return 'utf-8';
}

function name(encoding: string): string {
  return encoding === 'utf-8' ? 'whole UTF-8' : 'whole UTF-16';
}

/** Line feeds before the first byte that is no UTF-8. */
function validLines(piece: Uint8Array): number {
  const text = new TextDecoder('utf-8').decode(piece);
  const end = text.indexOf('\uFFFD');
  return text.slice(0, end < 0 ? text.length : end).split('\n').length - 1;
}
