import { createHmac } from 'node:crypto';
import { sealed } from '../../src/check/seal.js';
import { linesOf, resealed } from '../evaluate/storage/sealed.js';
import type { Dice } from '../gguf/campaign/mutate.js';
import type { Written } from './corpus.js';

/** Changes of a file by name: of its bytes, its lines, its fields, or with a part of another file. */
export const mutations: Readonly<Record<string, (file: Written, other: Written, dice: Dice) => Buffer>> = {
  'one bit': ({ bytes }, _, dice) => withByte(bytes, dice.below(bytes.length), byte => byte ^ (1 << dice.below(8))),
  'one byte': ({ bytes }, _, dice) => withByte(bytes, dice.below(bytes.length), () => dice.below(256)),
  'some bits': ({ bytes }, _, dice) => {
    let changed = bytes;
    for (let i = dice.below(8); i >= 0; i--)
      changed = withByte(changed, dice.below(bytes.length), byte => byte ^ (1 << dice.below(8)));
    return changed;
  },
  truncation: ({ bytes }, _, dice) => bytes.subarray(0, dice.below(bytes.length)),
  'a beginning that is gone': ({ bytes }, _, dice) => bytes.subarray(dice.below(bytes.length)),
  'a part that is gone': ({ bytes }, _, dice) => {
    const [from, to] = partOf(bytes, dice);
    return Buffer.concat([bytes.subarray(0, from), bytes.subarray(to)]);
  },
  'a part there twice': ({ bytes }, _, dice) => {
    const [from, to] = partOf(bytes, dice);
    return Buffer.concat([bytes.subarray(0, to), bytes.subarray(from)]);
  },
  'zeros in a part': ({ bytes }, _, dice) => Buffer.from(bytes).fill(0, ...partOf(bytes, dice)),
  'something put in': ({ bytes }, _, dice) => {
    const at = dice.below(bytes.length + 1);
    const piece = dice.of([
      '\n',
      '\0',
      '\r',
      '"',
      '}',
      '{',
      ',',
      '\\',
      '0',
      '-',
      ' ',
      '\ufffd',
      '\ud83d',
      'null',
      '[]',
      '{}',
    ]);
    return Buffer.concat([bytes.subarray(0, at), Buffer.from(piece), bytes.subarray(at)]);
  },
  'the whole twice': ({ bytes }) => Buffer.concat([bytes, bytes]),
  'two files': ({ bytes }, other) => Buffer.concat([bytes, other.bytes]),
  'the end of another': ({ bytes }, other, dice) => {
    const at = dice.below(bytes.length);
    const from = dice.chance(0.5) ? at : dice.below(other.bytes.length);
    return Buffer.concat([bytes.subarray(0, at), other.bytes.subarray(from)]);
  },
  'a line of another': ({ bytes }, other, dice) =>
    inLines(bytes, lines => lines.with(dice.below(lines.length), dice.of(textOf(other).split('\n')))),
  'a line that is gone': ({ bytes }, _, dice) => inLines(bytes, lines => lines.toSpliced(dice.below(lines.length), 1)),
  'a line there twice': ({ bytes }, _, dice) =>
    inLines(bytes, lines => lines.toSpliced(dice.below(lines.length), 0, dice.of(lines))),
  'lines in another order': ({ bytes }, _, dice) =>
    inLines(bytes, lines => {
      const [a, b] = [dice.below(lines.length), dice.below(lines.length)];
      return lines.with(a, lines[b]!).with(b, lines[a]!);
    }),
  'other line ends': ({ bytes }, _, dice) =>
    Buffer.from(textOf({ bytes }).replaceAll('\n', dice.of(['\r\n', '\r', '\n\n', '\u2028', ' ']))),
  'a byte order mark': ({ bytes }, _, dice) =>
    dice.chance(0.8)
      ? Buffer.concat([dice.of([Buffer.from('\ufeff'), Buffer.from([0xff, 0xfe])]), bytes])
      : Buffer.from(`\ufeff${textOf({ bytes })}`, 'utf16le'),
  'other white space': (file, _, dice) => inObject(file, dice, object => object, dice.of([undefined, 2, '\t'])),
  'a field that is gone': (file, _, dice) =>
    inObject(file, dice, object => {
      const [parent, key] = placeIn(object, dice);
      if (Array.isArray(parent)) parent.splice(Number(key), 1);
      else delete parent[key];
    }),
  'a field of another value': (file, _, dice) =>
    inObject(file, dice, object => {
      const [parent, key] = placeIn(object, dice);
      parent[key] = dice.of(values(parent[key], dice));
    }),
  'a field more': (file, _, dice) =>
    inObject(file, dice, object => {
      const [parent] = placeIn(object, dice);
      parent[dice.of(['added', '__proto__', 'constructor', 'toString', 'sha256', '0', 'then'])] = dice.of(
        values(1, dice),
      );
    }),
  'fields exchanged': (file, _, dice) =>
    inObject(file, dice, object => {
      const [[a, x], [b, y]] = [placeIn(object, dice), placeIn(object, dice)];
      const kept = structuredClone(a[x]);
      a[x] = structuredClone(b[y]);
      b[y] = kept;
    }),
  'a field of another file': (file, other, dice) =>
    inObject(file, dice, object => {
      const [parent, key] = placeIn(dice.of(objectsIn(other)), dice);
      if (dice.chance(0.5)) object[dice.of(Object.keys(object))] = parent[key];
      else place(object, String(key), parent[key]);
    }),
  'a field there twice': (file, _, dice) => {
    const [text, pairs] = [textOf(file), [...textOf(file).matchAll(/"\w+": ?[^,{}[\]]+,/g)]];
    if (pairs.length === 0) return file.bytes;
    const [from, to] = [dice.of(pairs), dice.of(pairs)];
    return Buffer.from(text.slice(0, to.index) + from[0] + text.slice(to.index));
  },
  'a huge text': ({ bytes }, _, dice) => {
    const at = dice.below(bytes.length);
    const piece = dice.of(['a', '0', '[', '{"a":', ' ', '\n', '"a",', '\ufffd']);
    const times = dice.of([1000, 100_000, 2 ** 21]);
    return Buffer.concat([bytes.subarray(0, at), Buffer.alloc(times, piece), bytes.subarray(at)]);
  },
  'deep nesting': ({ bytes }, _, dice) => {
    const depth = dice.of([100, 10_000, 1_000_000]);
    const [open, close] = dice.of([
      ['[', ']'],
      ['{"a":', '}'],
    ] as const);
    const text = textOf({ bytes }).trimEnd();
    const fields = [...text.matchAll(/: ?("[^"]*"|[\d.]+|null)/g)];
    if (fields.length === 0) return Buffer.from(open.repeat(depth));
    const field = dice.of(fields);
    return Buffer.from(
      dice.chance(0.3)
        ? open.repeat(depth) + text + close.repeat(depth)
        : `${text.slice(0, field.index)}:${open.repeat(depth)}0${close.repeat(depth)}${text.slice(field.index + field[0].length)}\n`,
    );
  },
  'nothing or next to it': (_, __, dice) =>
    Buffer.from(
      dice.of([
        '',
        '\n',
        '\0',
        ' ',
        '{}',
        '[]',
        'null',
        '0',
        '""',
        '{}\n',
        'null\n',
        '{"a":1}\n{"a":1}\n',
        '{"evidence":{}}',
        '{"format":"meditron-results"}\n',
      ]),
    ),
  'an older format': (file, _, dice) =>
    Buffer.from(
      textOf(file).replace(dice.of([/evidence\.v\d/, /"version":\d/]), found =>
        found.replace(/\d/, () => String(dice.below(10))),
      ),
    ),
};

/** A change by somebody who mends the checksums: it may be believed, and must not do worse. */
export function forged(file: Written, other: Written, dice: Dice): Buffer {
  const [, mutate] = dice.of(Object.entries(mutations).filter(([name]) => /field|line/.test(name)));
  const bytes = mutate!(file, other, dice);
  if (file.kind === 'prefix') {
    const key = Buffer.from(file.belongs!.key as string, 'base64');
    const upToMac = bytes.subarray(0, endOfHeader(bytes));
    return Buffer.concat([
      upToMac,
      createHmac('sha256', key).update(upToMac).digest(),
      bytes.subarray(upToMac.length + 32),
    ]);
  }
  const text = bytes.toString('utf8');
  if (file.kind === 'results') return Buffer.from(resealed(linesOf(text)));
  try {
    const record = JSON.parse(text) as Record<string, unknown>;
    if (!('evidence' in record)) return Buffer.from(JSON.stringify(sealed(record)));
    const { evidence, samples } = record as { evidence: object; samples: unknown };
    const { sha256 } = sealed({ ...evidence, samples });
    return Buffer.from(JSON.stringify({ ...record, evidence: { ...evidence, sha256 } }));
  } catch {
    return Buffer.from(text);
  }
}

type Fields = Record<string | number, unknown>;

const textOf = ({ bytes }: Pick<Written, 'bytes'>): string => bytes.toString('utf8');

function withByte(bytes: Buffer, at: number, to: (byte: number) => number): Buffer {
  const changed = Buffer.from(bytes);
  changed[at] = to(bytes[at]!);
  return changed;
}

/** Mostly short ones. */
function partOf({ length }: Buffer, dice: Dice): [from: number, to: number] {
  const from = dice.below(length);
  return [from, Math.min(length, from + 1 + dice.below(dice.of([4, 40, 400, length])))];
}

function inLines(bytes: Buffer, change: (lines: string[]) => string[]): Buffer {
  return Buffer.from(`${change(textOf({ bytes }).trimEnd().split('\n')).join('\n')}\n`);
}

/** The JSON objects of a file: one a line of results, the header of a prefix, else the whole. A key has none, and gets one. */
function objectsIn(file: Written): Fields[] {
  if (file.kind === 'key') return [{ key: file.bytes.toString('hex') }];
  const text = file.kind === 'prefix' ? file.bytes.toString('utf8', headerAt, endOfHeader(file.bytes)) : textOf(file);
  return (file.kind === 'results' ? text.trimEnd().split('\n') : [text]).map(line => JSON.parse(line) as Fields);
}

function inObject(file: Written, dice: Dice, change: (object: Fields) => unknown, space?: string | number): Buffer {
  const objects = objectsIn(file);
  const i = dice.below(objects.length);
  change(objects[i]!);
  const lines = objects.map((object, j) => JSON.stringify(object, null, j === i ? space : undefined));
  if (file.kind !== 'prefix') return Buffer.from(`${lines.join('\n')}\n`);
  const header = Buffer.from(lines.join(''));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(header.length);
  return Buffer.concat([
    file.bytes.subarray(0, headerAt - 4),
    length,
    header,
    file.bytes.subarray(endOfHeader(file.bytes)),
  ]);
}

/** A saved prefix has 16 bytes of magic and four of the length of its header before it. */
const headerAt = 20;
const endOfHeader = (bytes: Buffer): number => headerAt + bytes.readUInt32LE(headerAt - 4);

function placesIn(node: Fields): [Fields, string | number][] {
  return Object.entries(node).flatMap(([key, value]) => [
    [node, key] as [Fields, string],
    ...(typeof value === 'object' && value !== null ? placesIn(value as Fields) : []),
  ]);
}

/** A field or an element somewhere, those near the top as often as the many below. */
function placeIn(object: Fields, dice: Dice): [Fields, string | number] {
  const places = placesIn(object);
  return dice.chance(0.5) ? [object, dice.of(Object.keys(object))] : dice.of(places);
}

function place(object: Fields, name: string, value: unknown): void {
  const found = placesIn(object).find(([, key]) => key === name);
  if (found) found[0][name] = value;
}

function values(old: unknown, dice: Dice): unknown[] {
  const same = typeof old === 'number' ? [old + 1, -old, old + 1e-9, 2 ** 53, 1e308, 0.5] : [];
  const text = typeof old === 'string' ? [`${old} `, old.toUpperCase(), old.slice(1), old.normalize('NFD')] : [];
  const flag = typeof old === 'boolean' ? [!old] : [];
  return [...same, ...text, ...flag, dice.of([null, 0, '', 'x', true, [], {}, ['x'], { a: 1 }, '\ud800'])];
}
