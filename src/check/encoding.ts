import { isAscii, isUtf8 } from 'node:buffer';

/**
 * Text from a file or a pipe: UTF-8, or UTF-16 with its mark, as Windows PowerShell writes it. The mark is taken off. Other encodings have
 * no mark: such a text is read by `codePage`, or not at all.
 *
 * @throws EncodingError with the line and how to save the text
 */
export function decodeText(bytes: Uint8Array, codePage?: CodePage): string {
  const decoder = textDecoder(bytes, codePage);
  return decoder.decode(bytes) + decoder.decode();
}

/** Decodes a text in pieces; what it returns for the last, an empty call, has to be taken too. */
export interface Decoder {
  /** @throws EncodingError */
  decode(piece?: Uint8Array): string;
}

/** What a system reads text by that does not say its encoding. */
export interface CodePage {
  /** Decodes whole lines, a byte at least; undefined if they are not text in it. */
  decode(lines: Uint8Array): Decoded | undefined;
  /** Told once of a text that is read so, with a word by which a person sees whether that is right. */
  warn(message: string): void;
}

export interface Decoded {
  readonly text: string;
  /** The number of the code page. */
  readonly page: number;
}

/** Chooses by the beginning of a text, two bytes at least where there are so many. @throws EncodingError */
export function textDecoder(beginning: Uint8Array, codePage?: CodePage): Decoder {
  const encoding = encodingOf(beginning);
  return encoding === 'utf-8' ? new LineDecoder(codePage) : utf16Decoder(encoding);
}

function utf16Decoder(encoding: 'utf-16le' | 'utf-16be'): Decoder {
  const decoder = new TextDecoder(encoding, { fatal: true });
  return {
    decode(piece) {
      try {
        return piece === undefined ? decoder.decode() : decoder.decode(piece, { stream: true });
      } catch (cause) {
        throw new EncodingError('it is not whole UTF-16 text', cause);
      }
    },
  };
}

/** Line by line, since a text in which some lines are UTF-8 and others are not is in no encoding at all. */
class LineDecoder implements Decoder {
  /** Takes a mark off at the beginning of the text alone. */
  readonly #utf8 = new TextDecoder('utf-8', { fatal: true });
  #encoding: 'ascii' | 'utf-8' | 'code page' = 'ascii';
  /** The beginning of a line that has not ended. */
  #held: Uint8Array[] = [];
  #line = 1;

  constructor(private readonly codePage: CodePage | undefined) {}

  decode(piece?: Uint8Array): string {
    const end = piece && piece.lastIndexOf(newline) + 1;
    if (piece && end === 0) {
      this.#held.push(piece);
      return '';
    }
    const block = Buffer.concat([...this.#held, ...(piece ? [piece.subarray(0, end)] : [])]);
    this.#held = piece ? [piece.subarray(end)] : [];
    if (block.length === 0) return '';
    const text = this.#decoded(block);
    this.#line += newlines(text);
    return text;
  }

  #decoded(block: Uint8Array): string {
    if (this.#encoding === 'code page' || !isUtf8(block)) return this.#decodedBySystem(block);
    if (!isAscii(block)) this.#encoding = 'utf-8';
    return this.#utf8.decode(block, { stream: true });
  }

  #decodedBySystem(block: Uint8Array): string {
    const lines = linesOf(block).map(bytes => (isAscii(bytes) ? 'ascii' : isUtf8(bytes) ? 'utf-8' : 'other'));
    const line = this.#line + Math.max(0, lines.indexOf('other'));
    const isMixed = this.#encoding === 'utf-8' || lines.includes('utf-8');
    const read = isMixed ? undefined : this.codePage?.decode(block);
    if (read === undefined || read.text.split('\n').some(isNoText))
      throw new EncodingError(
        lines.at(-1) === 'other' && isCutUtf8(block)
          ? 'it is not whole UTF-8 text'
          : `it is not UTF-8 text (line ${line})`,
      );
    if (this.#encoding === 'ascii') {
      const word = /\S*[^\0-\x7f]\S*/.exec(read.text)![0].slice(0, 40);
      this.codePage!.warn(
        `it is not UTF-8 text (line ${line}) and is read by Windows's code page ${read.page}, which makes "${word}" of a word there; if that is wrong, ${howToSave}`,
      );
    }
    this.#encoding = 'code page';
    return read.text;
  }
}

const newline = 0x0a;

/** A line that a code page was needed for, and that is no text even so. What is ASCII stands as it is. */
function isNoText(line: string): boolean {
  return /[^\0-\x7f]/.test(line) && controls.test(line);
}

/** What is in no text, but for those that move to a new line, and the end that DOS marks. */
const controls = /[\0-\x08\x0e-\x19\x1b-\x1f\x7f-\x9f]/;

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

/** Whether nothing but the end of the last letter is missing. */
function isCutUtf8(bytes: Uint8Array): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: true });
    return true;
  } catch {
    return false;
  }
}

function linesOf(bytes: Uint8Array): readonly Uint8Array[] {
  const lines: Uint8Array[] = [];
  for (let at = 0, end = 0; end >= 0; at = end + 1) {
    end = bytes.indexOf(newline, at);
    lines.push(bytes.subarray(at, end < 0 ? bytes.length : end));
  }
  return lines;
}

function newlines(text: string): number {
  return text.split('\n').length - 1;
}
