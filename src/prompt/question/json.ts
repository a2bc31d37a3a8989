import { MeditronError, named } from '../../check/errors.js';

/**
 * `JSON.parse`, except that a key given twice in one object is an error: JavaScript would keep the last one without a word.
 * Throws `ERR_INPUT`. `what` opens the message: `The question`.
 */
export function parseJson(text: string, what: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new MeditronError('ERR_INPUT', `${what} is not valid JSON: ${jsonFault(text, error)}`);
  }
  const twice = repeatedKey(text);
  if (twice !== undefined)
    throw new MeditronError('ERR_INPUT', `${what}: the key ${named(twice)} is given twice in one JSON object`);
  return value;
}

/**
 * What `JSON.parse` found wrong, and in which line if it says where. Its own message quotes the text, which is not for error messages:
 * it is left out, and the error is not to be made a cause.
 */
export function jsonFault(text: string, error: unknown): string {
  const { message } = error as Error;
  const what =
    message.replace(/(?:, )?(?:\.\.\.)?".*$/s, '').replace(/ (?:in|after) JSON.*$/s, '') || 'Unexpected text';
  const position = Number(/ at position (\d+)/.exec(message)?.[1] ?? placeOf(message, text));
  return position < 0 ? what : `${what} in line ${text.slice(0, position).split('\n').length}`;
}

/** Where the piece of the text is that the message quotes: ten characters before the fault and ten behind it. */
function placeOf(message: string, text: string): number {
  const [, before = '', piece = ''] = /, (\.\.\.)?"(.*)"(?:\.\.\.)? is not valid JSON$/s.exec(message) ?? [];
  const at = piece === '' ? -1 : text.indexOf(piece);
  if (at < 0 || text.includes(piece, at + 1)) return -1;
  const fault = /^Unexpected token '(.)'/su.exec(message)?.[1];
  return at + (before === '' ? Math.max(0, piece.indexOf(fault ?? '')) : Math.min(10, piece.length));
}

/** The first key that some object of valid JSON text has twice. */
export function repeatedKey(text: string): string | undefined {
  const objects: (Set<string> | undefined)[] = [];
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (c === '{') objects.push(new Set());
    else if (c === '[') objects.push(undefined);
    else if (c === '}' || c === ']') objects.pop();
    else if (c === '"') {
      const end = endOfString(text, i);
      if (objects.at(-1) && isKey(text, end)) {
        const name = JSON.parse(text.slice(i, end)) as string;
        if (objects.at(-1)!.has(name)) return name;
        objects.at(-1)!.add(name);
      }
      i = end - 1;
    }
  }
  return undefined;
}

/** The offset behind the string that opens at `start`. */
function endOfString(text: string, start: number): number {
  for (let i = start + 1; i < text.length; i++) {
    if (text[i] === '\\') i++;
    else if (text[i] === '"') return i + 1;
  }
  return text.length;
}

function isKey(text: string, end: number): boolean {
  let i = end;
  while (text[i] === ' ' || text[i] === '\n' || text[i] === '\r' || text[i] === '\t') i++;
  return text[i] === ':';
}
