/**
 * Reads a value as Python prints it: lists, tuples, dictionaries, strings, numbers, True, False, None, and numpy arrays
 * with and without commas. The CSV exports of the `datasets` library hold nested columns in this form.
 * Returns undefined if the text is anything else.
 */
export function parseLiteral(text: string): unknown {
  const reader = { text, at: 0 };
  try {
    const value = readValue(reader);
    skipSpace(reader);
    return reader.at === text.length ? value : undefined;
  } catch (error) {
    if (error instanceof NotLiteral) return undefined;
    throw error;
  }
}

interface Reader {
  readonly text: string;
  at: number;
}

class NotLiteral extends Error {}

function readValue(reader: Reader): unknown {
  skipSpace(reader);
  const { text } = reader;
  const char = text[reader.at];
  if (char === '[' || char === '(') return readList(reader, char === '[' ? ']' : ')');
  if (char === '{') return readObject(reader);
  if (char === "'" || char === '"') return readString(reader);
  if (text.startsWith('array(', reader.at)) return readArray(reader);
  const word = /^(?:None|True|False|nan|null|true|false|-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)/.exec(
    text.slice(reader.at, reader.at + 40),
  )?.[0];
  if (word === undefined) throw new NotLiteral();
  reader.at += word.length;
  const constant = constants.get(word);
  return constant === undefined ? Number(word) : constant;
}

const constants = new Map<string, boolean | null>([
  ['None', null],
  ['null', null],
  ['nan', null],
  ['True', true],
  ['true', true],
  ['False', false],
  ['false', false],
]);

function readList(reader: Reader, close: string): unknown[] {
  reader.at++;
  const values: unknown[] = [];
  for (;;) {
    skipSpace(reader);
    if (reader.text[reader.at] === close) {
      reader.at++;
      return values;
    }
    values.push(readValue(reader));
    skipSpace(reader);
    if (reader.text[reader.at] === ',') reader.at++; // numpy separates by white space alone
  }
}

function readObject(reader: Reader): Record<string, unknown> {
  reader.at++;
  const entries: [string, unknown][] = [];
  for (;;) {
    skipSpace(reader);
    if (reader.text[reader.at] === '}') {
      reader.at++;
      return Object.fromEntries(entries);
    }
    const key = readValue(reader);
    skipSpace(reader);
    if (reader.text[reader.at] !== ':') throw new NotLiteral();
    reader.at++;
    entries.push([String(key), readValue(reader)]);
    skipSpace(reader);
    if (reader.text[reader.at] === ',') reader.at++;
    else if (reader.text[reader.at] !== '}') throw new NotLiteral();
  }
}

/** `array([...], dtype=object)` */
function readArray(reader: Reader): unknown {
  reader.at += 'array('.length;
  const values = readValue(reader);
  const rest = /^\s*(?:,\s*dtype=[^)]*)?\)/.exec(reader.text.slice(reader.at, reader.at + 60))?.[0];
  if (rest === undefined) throw new NotLiteral();
  reader.at += rest.length;
  return values;
}

const escapes: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', '\n': '' };

function readString(reader: Reader): string {
  const { text } = reader;
  const quote = text[reader.at++];
  let value = '';
  for (;;) {
    const char = text[reader.at++];
    if (char === undefined) throw new NotLiteral();
    if (char === quote) return value;
    if (char !== '\\') {
      value += char;
      continue;
    }
    const next = text[reader.at++] ?? '';
    const digits = { x: 2, u: 4, U: 8 }[next];
    if (digits === undefined) {
      value += escapes[next] ?? next;
      continue;
    }
    const code = Number.parseInt(text.slice(reader.at, reader.at + digits), 16);
    if (!(code <= 0x10ffff)) throw new NotLiteral();
    value += String.fromCodePoint(code);
    reader.at += digits;
  }
}

function skipSpace(reader: Reader): void {
  while (/\s/.test(reader.text[reader.at] ?? '')) reader.at++;
}
