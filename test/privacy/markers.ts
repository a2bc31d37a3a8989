import { randomBytes } from 'node:crypto';

/** Texts that stand for a patient's, by what they are. */
export type Markers = Readonly<Record<string, string>>;

/** 32 random bytes as letters, digits, - and _: a text that passes every check, and that nobody else writes. */
export function marker(): string {
  return randomBytes(32).toString('base64url');
}

export function markers(...names: readonly string[]): Markers {
  return Object.fromEntries(names.map(name => [name, marker()]));
}

/** A piece this long of a marker is found, so that one that was cut short in a message is found too. */
const shortest = 8;

/** A marker that was found: its name and the form it had. */
export function found(data: Buffer | string, planted: Markers): string[] {
  const bytes = Buffer.isBuffer(data) ? data : Buffer.from(data);
  return Object.entries(planted).flatMap(([name, text]) =>
    Object.entries(formsOf(text))
      .filter(([, pieces]) => pieces.some(piece => bytes.includes(piece)))
      .map(([form]) => `${name}, ${form}`),
  );
}

function formsOf(text: string): Readonly<Record<string, readonly Buffer[]>> {
  const bytes = Buffer.from(text);
  // The beginning, the middle and the end: whatever was cut, one of them is whole.
  const pieces = [0, Math.floor((bytes.length - shortest) / 2), bytes.length - shortest].map(at =>
    bytes.subarray(Math.max(0, at), at + shortest),
  );
  return {
    plain: pieces,
    'UTF-16': pieces.map(piece => Buffer.from(piece.toString(), 'utf16le')),
    hexadecimal: pieces.map(piece => Buffer.from(piece.toString('hex'))),
    base64: pieces.flatMap(inBase64),
    'JSON-escaped': pieces.map(piece =>
      Buffer.from(Array.from(piece, c => `\\u${c.toString(16).padStart(4, '0')}`).join('')),
    ),
  };
}

/** How a piece looks inside of base64, which depends on how many bytes stand before it. */
function inBase64(piece: Buffer): Buffer[] {
  return [0, 1, 2].map(before => {
    const text = Buffer.concat([Buffer.alloc(before), piece]).toString('base64');
    const skipped = before === 0 ? 0 : before + 1;
    return Buffer.from(text.slice(skipped, Math.floor(((before + piece.length) * 8) / 6)));
  });
}
