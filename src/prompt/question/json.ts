import { describe, MeditronError } from '../../check/errors.js';

/**
 * `JSON.parse`, except that a key given twice in one object is an error: JavaScript would keep the last one without a word.
 * Throws `ERR_INPUT`. `what` opens the message: `The question`.
 */
export function parseJson(text: string, what: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new MeditronError('ERR_INPUT', `${what} is not valid JSON: ${(error as Error).message}`, { cause: error });
  }
  const twice = repeatedKey(text);
  if (twice !== undefined)
    throw new MeditronError('ERR_INPUT', `${what}: the key ${describe(twice)} is given twice in one JSON object`);
  return value;
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
