import { integer } from '../../check/options.js';
import { normalized } from '../../check/unicode.js';

export interface ParsedList {
  /** The names in the order given, best first; complete ones only. */
  readonly items: readonly string[];
  /** True if the text ended inside the list. */
  readonly truncated: boolean;
  readonly source: 'json' | 'lines' | 'none';
}

export interface ListOptions {
  /** True if generation ended at the token limit: then the last line of a plain list may be half a name. Default false. */
  readonly cut?: boolean;
  /** How many items are kept. Default 50. */
  readonly max?: number;
}

/**
 * Reads a ranked list of diagnoses from generated text: a JSON array of strings or of objects with a name (alone or as a
 * value of an object), else numbered or bulleted lines. A list that was cut off keeps its complete items.
 */
export function parseRankedList(text: string, options: ListOptions = {}): ParsedList {
  const max = integer('max', options.max ?? 50, 1, 10_000);
  const found = fromJson(text) ?? fromLines(text, options.cut ?? false);
  return { ...found, items: found.items.slice(0, max) };
}

const longestName = 200;
const nameKeys = ['name', 'diagnosis', 'condition', 'disease', 'disorder', 'answer'];

function fromJson(text: string): ParsedList | undefined {
  const start = text.search(/\[\s*(?:["{\]]|$)/);
  if (start < 0) return undefined;
  const items: string[] = [];
  let at = start + 1;
  for (;;) {
    at = skipGap(text, at);
    if (text[at] === ']') return { items, truncated: false, source: 'json' };
    const end = valueEnd(text, at);
    const name = end === undefined ? undefined : nameOf(text.slice(at, end));
    if (end === undefined || name === undefined) {
      // Nothing usable at all: this was no list of names.
      return items.length > 0 || end === undefined ? { items, truncated: true, source: 'json' } : undefined;
    }
    if (name !== '') items.push(name);
    at = end;
  }
}

function skipGap(text: string, from: number): number {
  let at = from;
  while (at < text.length && /[\s,]/.test(text[at]!)) at++;
  return at;
}

/** Just past the JSON string or object that begins here; undefined if it is not complete, or something else begins here. */
function valueEnd(text: string, from: number): number | undefined {
  if (text[from] !== '"' && text[from] !== '{') return undefined;
  let depth = 0;
  let inString = false;
  for (let at = from; at < text.length; at++) {
    const character = text[at];
    if (inString && character === '\\') at++;
    else if (character === '"') inString = !inString;
    else if (!inString && (character === '{' || character === '[')) depth++;
    else if (!inString && (character === '}' || character === ']')) depth--;
    else continue;
    if (depth === 0 && !inString) return at + 1;
  }
  return undefined;
}

/** The name a JSON value gives, '' if it is blank, undefined if the value cannot be used. */
function nameOf(json: string): string | undefined {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    return undefined;
  }
  if (typeof value === 'string') return tidy(value);
  const fields = new Map(Object.entries(value as object).map(([key, v]) => [key.toLowerCase(), v]));
  const name = nameKeys.map(key => fields.get(key)).find(v => typeof v === 'string');
  return name === undefined ? undefined : tidy(name);
}

const marker = /^\s{0,20}(?:[-*•–]|\(?\d{1,3}[.):])\s+(\S.*)$/u;
const numbered = /^\s{0,20}\(?\d{1,3}[.):]/;

function fromLines(text: string, cut: boolean): ParsedList {
  const lines = text.split(/\r\n?|\n/);
  const last = lines.findLastIndex(line => line.trim() !== '');
  const listed = lines.map((line, i) => ({ i, line, name: nameIn(line) })).filter(item => item.name !== '');
  // Bullets below numbers are remarks on an item, not items.
  const wanted = listed.some(item => numbered.test(item.line))
    ? listed.filter(item => numbered.test(item.line))
    : listed;
  const truncated = cut && wanted.length > 0 && wanted.at(-1)!.i === last && !hasRemark(lines[last]!);
  const items = (truncated ? wanted.slice(0, -1) : wanted).map(item => item.name);
  return { items, truncated: cut && wanted.length > 0, source: wanted.length > 0 ? 'lines' : 'none' };
}

/** Where a name ends and a remark on it begins: at a colon before a blank or the end, a dash between blanks, an em dash. */
const remark = /:(?:\s|$)|(?<=\s)[-–](?=\s)|—/u;

function nameIn(line: string): string {
  const body = marker.exec(line.slice(0, 2000))?.[1] ?? '';
  return tidy(body.replace(/\*\*|__|`/g, '').split(remark, 1)[0]!);
}

/** The name is complete if a remark follows it. */
function hasRemark(line: string): boolean {
  return remark.test(marker.exec(line.slice(0, 2000))?.[1] ?? '');
}

/** Longer than any name with its quotation marks and blanks: what is behind is not looked at. */
const longestSpelling = 10 * longestName;
const opening = new Set([...`"'“”‘*_`]);
const closing = new Set([...`"'“”’*_.,;`]);

function tidy(name: string): string {
  const clean = normalized(name.slice(0, longestSpelling), 'NFC')
    .replace(/[\p{Cc}\p{Cf}\s]+/gu, ' ')
    .trim();
  let [from, to] = [0, clean.length];
  while (from < to && opening.has(clean[from]!)) from++;
  while (to > from && closing.has(clean[to - 1]!)) to--;
  return [...clean.slice(from, to).trim()].slice(0, longestName).join('');
}
