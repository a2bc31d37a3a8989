import { normalized } from '../../check/unicode.js';

/**
 * The name of a diagnosis in a form in which different spellings of the same words are equal: case, punctuation, hyphens,
 * leading articles, possessives, simple plurals, British ae and oe, and roman numerals after type, grade, stage or class.
 * It never drops or replaces a word, because "acute" or "type 2" make another diagnosis; it folds no compatibility
 * characters, because they can be units. For comparison only, not for display.
 */
export function foldName(name: string): string {
  return spaced(name)
    .replace(/^(?:the|an?) (?=\S)/, '')
    .replace(/(?<=\b(?:type|grade|stage|class) )(?:iv|v|i{1,3})(?= |$)/g, numeral => romans[numeral]!)
    .split(' ')
    .map(foldWord)
    .join(' ');
}

export interface SplitName {
  readonly name: string;
  /** The abbreviation that stood beside the name in brackets. */
  readonly abbreviation: string | undefined;
}

/**
 * Takes an abbreviation off a name: "myocardial infarction (MI)" and "MI (myocardial infarction)". Only capitals that spell
 * the name's own words count; "pneumonia (viral)" stays whole.
 */
export function splitName(text: string): SplitName {
  const name = text.trim();
  const match = name.length > 500 ? null : /^([^()]+?)\s*\(([^()]+)\)$/.exec(name);
  if (!match) return { name, abbreviation: undefined };
  const [outside, inside] = [match[1]!, match[2]!.trim()];
  if (abbreviates(inside, outside)) return { name: outside, abbreviation: inside };
  if (abbreviates(outside, inside)) return { name: inside, abbreviation: outside };
  return { name, abbreviation: undefined };
}

const romans: Readonly<Record<string, string>> = { i: '1', ii: '2', iii: '3', iv: '4', v: '5' };

function spaced(name: string): string {
  return normalized(name, 'NFC')
    .toLowerCase()
    .replace(/\p{Cf}/gu, '')
    .replace(/(?<=\p{L})['’ʼ]s?(?!\p{L})/gu, '')
    .replace(/(?<=[\p{L}\p{N}])[-‐‑‒–—]$|(?<=[\p{L}\p{N}])[-‐‑‒–—](?=\s)/gu, '−') // HER2- is not HER2
    .replace(/[^\p{L}\p{N}\p{M}\p{S}%]+/gu, ' ')
    .trim();
}

/** Plurals need not come out as words, only as the same word for singular and plural. */
function foldWord(word: string): string {
  const plain = word
    .replace(/[ao]e/g, 'e')
    .replace(/æ|œ/g, 'e')
    .replace(/mour$/, 'mor')
    .replace(/mours$/, 'mors');
  if (plain.length < 4 || /(?:ss|us|is)$/.test(plain)) return plain;
  if (plain.endsWith('ies')) return `${plain.slice(0, -3)}y`;
  return plain.replace(/(?<=ss|x|ch|sh)es$|s$/, '');
}

/** 2 to 8 capitals or digits that begin like the name and occur in it in this order: MI, COPD, T2DM are; "CT" of Crohn is not. */
function abbreviates(short: string, long: string): boolean {
  if (!/^[A-Z][A-Za-z0-9-]{1,7}$/.test(short) || (short.match(/[A-Z]/g)?.length ?? 0) < 2) return false;
  const letters = short.toLowerCase().replace(/s$|[^a-z0-9]/g, '');
  const words = spaced(long).split(' ');
  if (words.join('').length <= letters.length || words[0]![0] !== letters[0]) return false;
  let at = 0;
  for (const character of words.join(' ')) if (character === letters[at]) at++;
  return at === letters.length && letters.length <= 2 * words.length + 1;
}
