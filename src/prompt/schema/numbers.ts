import { either, inOrder, literal, times } from './rules.js';

/** What a number may be, as a schema says it. */
export interface Bounds {
  readonly minimum: number | undefined;
  readonly maximum: number | undefined;
  /** Whether the bound itself is left out. */
  readonly above: boolean;
  readonly below: boolean;
}

/** Digits that a double holds whatever they are; the longest whole number that is written without bounds. */
const safeDigits = 15;
const mostDecimals = 6;
/** No number that is written is longer. */
const longest = 1e20;

export const anyInteger = `"-"? ("0" | [1-9] [0-9]{0,${safeDigits - 1}})`;
export const anyNumber = `${anyInteger} ("." [0-9]{1,${safeDigits}})? ([eE] [-+]? [0-9]{1,2})?`;

/** Bounds that a number as it is written comes to: some schemas say the largest double. */
export function written({ minimum, maximum, ...rest }: Bounds): Bounds {
  const least = minimum === undefined ? undefined : Math.max(minimum, -longest);
  return { ...rest, minimum: least, maximum: maximum === undefined ? undefined : Math.min(maximum, longest) };
}

/** Whole numbers within bounds; undefined if there are none. */
export function integersWithin({ minimum, maximum, above, below }: Bounds): string | undefined {
  const low = minimum === undefined ? undefined : Math.ceil(minimum) + (above && Number.isInteger(minimum) ? 1 : 0);
  const high = maximum === undefined ? undefined : Math.floor(maximum) - (below && Number.isInteger(maximum) ? 1 : 0);
  if (low === undefined && high === undefined) return anyInteger;
  const parts: string[] = [];
  if (low === undefined || low < 0) {
    const least = high === undefined || high >= 0 ? 1n : BigInt(-high);
    const digits = wholes(least, low === undefined ? undefined : BigInt(-low));
    if (digits !== undefined) parts.push(`"-" ${digits}`);
  }
  if (high === undefined || high >= 0) {
    const least = low === undefined || low < 0 ? 0n : BigInt(low);
    const digits = wholes(least, high === undefined ? undefined : BigInt(high));
    if (digits !== undefined) parts.push(digits);
  }
  return parts.length === 0 ? undefined : either(parts);
}

/** Numbers within bounds, without exponents; undefined if there are none, or `'decimals'` if a bound has too many of them. */
export function numbersWithin(bounds: Bounds): string | undefined | 'decimals' {
  const { minimum, maximum, above, below } = bounds;
  if (minimum === undefined && maximum === undefined) return anyNumber;
  const decimals = Math.max(decimalsOf(minimum), decimalsOf(maximum));
  if (decimals > mostDecimals) return 'decimals';
  const low = minimum === undefined ? undefined : scaled(minimum, decimals);
  const high = maximum === undefined ? undefined : scaled(maximum, decimals);
  const parts: string[] = [];
  if (low === undefined || low < 0n) {
    const toZero = high === undefined || high >= 0n;
    const from = toZero ? { at: 0n, open: true } : { at: -high!, open: below };
    const to = low === undefined ? undefined : { at: -low, open: above };
    const digits = magnitudes(from, to, decimals);
    if (digits !== undefined) parts.push(`"-" ${digits}`);
  }
  if (high === undefined || high >= 0n) {
    const from = low === undefined || low < 0n ? { at: 0n, open: false } : { at: low, open: above };
    const digits = magnitudes(from, high === undefined ? undefined : { at: high, open: below }, decimals);
    if (digits !== undefined) parts.push(digits);
  }
  return parts.length === 0 ? undefined : either(parts);
}

interface Edge {
  /** In units of the last decimal. */
  readonly at: bigint;
  /** The edge itself is left out. */
  readonly open: boolean;
}

/**
 * Numbers from 0 on, between two edges. So many digits as the edges have are compared; those behind are free except at an edge. There
 * are never more of them than a double tells apart.
 */
function magnitudes(from: Edge, to: Edge | undefined, decimals: number): string | undefined {
  const digits = Math.max(`${from.at}`.length, to ? `${to.at}`.length : 1, decimals + 1);
  const more = Math.max(0, Math.min(8, safeDigits - digits));
  const behind = tails(more, decimals);
  const point = (low: bigint, high: bigint | undefined) => wholes(low, high, decimals);
  const sequence = (digits: string | undefined, tail: string | undefined) =>
    digits === undefined || tail === undefined ? [] : [inOrder(digits, tail)];
  if (to && from.at === to.at) {
    if (from.open || to.open) return undefined;
    return sequence(point(from.at, from.at), behind.zeros)[0];
  }
  if (to && from.at > to.at) return undefined;
  const parts = [
    ...(from.open ? sequence(point(from.at, from.at), behind.notZeros) : []),
    ...sequence(point(from.at + (from.open ? 1n : 0n), to && to.at - 1n), behind.any),
    ...(to && !to.open ? sequence(point(to.at, to.at), behind.zeros) : []),
  ];
  return parts.length === 0 ? undefined : either(parts);
}

function tails(more: number, decimals: number) {
  if (more === 0) return { any: '', zeros: '', notZeros: undefined };
  const notZeros = inOrder(times('[0-9]', 0, more - 1), '[1-9]');
  if (decimals > 0) return { any: `[0-9]{0,${more}}`, zeros: `"0"{0,${more}}`, notZeros };
  return { any: `("." [0-9]{1,${more}})?`, zeros: `("." "0"{1,${more}})?`, notZeros: `"." ${notZeros}` };
}

/** Whole numbers from `low` on, without zeros before them; the last `decimals` digits stand behind a point. */
function wholes(low: bigint, high: bigint | undefined, decimals = 0): string | undefined {
  const last = high ?? 10n ** BigInt(Math.max(safeDigits, `${low}`.length + 1)) - 1n;
  if (low > last) return undefined;
  const parts: string[] = [];
  const shortest = Math.max(`${low}`.length, decimals + 1);
  for (let length = shortest; length <= Math.max(`${last}`.length, decimals + 1); length++) {
    const least = length === decimals + 1 ? 0n : 10n ** BigInt(length - 1);
    const [first, end] = [low > least ? low : least, smaller(last, 10n ** BigInt(length) - 1n)];
    if (first > end) continue;
    const text = (value: bigint) => `${value}`.padStart(length, '0');
    parts.push(between(text(first), text(end), length - decimals));
  }
  return parts.length === 0 ? undefined : either(parts);
}

/** Texts of digits of one length, in order of their values; a point stands before digit `point`, if there is one. */
function between(low: string, high: string, point: number): string {
  const length = low.length;
  if (length === 0) return '';
  const dot = point === 0 ? '"."' : '';
  const rest = (from: string, to: string) => between(from, to, point - 1);
  const [zeros, nines] = ['0'.repeat(length - 1), '9'.repeat(length - 1)];
  const [first, last] = [Number(low[0]), Number(high[0])];
  if (first === last) return inOrder(dot, literal(low[0]!), rest(low.slice(1), high.slice(1)));
  const wholeFirst = low.slice(1) === zeros;
  const wholeLast = high.slice(1) === nines;
  const [from, to] = [wholeFirst ? first : first + 1, wholeLast ? last : last - 1];
  const parts = [
    ...(wholeFirst ? [] : [inOrder(literal(low[0]!), rest(low.slice(1), nines))]),
    ...(from > to ? [] : [inOrder(from === to ? `"${from}"` : `[${from}-${to}]`, free(length - 1, point - 1))]),
    ...(wholeLast ? [] : [inOrder(literal(high[0]!), rest(zeros, high.slice(1)))]),
  ];
  return inOrder(dot, either(parts));
}

/** Any digits. */
function free(length: number, point: number): string {
  const digits = (count: number) => (count === 0 ? '' : `[0-9]{${count}}`);
  if (point < 0 || point >= length) return digits(length);
  return inOrder(digits(point), '"."', digits(length - point));
}

function smaller(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}

function decimalsOf(value: number | undefined): number {
  const text = String(value ?? 0);
  if (text.includes('e-')) return Infinity;
  return (text.split('.')[1] ?? '').length;
}

function scaled(value: number, decimals: number): bigint {
  const [, sign, whole, fraction = ''] = /^(-?)(\d+)(?:\.(\d+))?$/.exec(plain(value))!;
  const magnitude = BigInt(`${whole}${fraction.padEnd(decimals, '0')}`);
  return sign === '-' ? -magnitude : magnitude;
}

/** Without an exponent. */
function plain(value: number): string {
  return Math.abs(value) >= 1e21 ? BigInt(value).toString() : String(value);
}
