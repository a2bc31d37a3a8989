import { markRun } from '../../check/unicode.js';

/** Something in text from outside that the model does not see as it was, or that a reader should know of. */
export interface Finding {
  /** Which text: `question`, `options[2]`, `context[0]`, `messages[1].content`, `system`, ... */
  readonly where: string;
  /** What was found. */
  readonly kind: FindingKind;
  /** What became of it: left out, another character in its place, spelt in another way, or left as it was. */
  readonly action: 'removed' | 'replaced' | 'rewritten' | 'kept';
  /** How often it was found. */
  readonly count: number;
  /** What was found: code points (`U+202E`) or the literal text. At most five different ones are listed. */
  readonly detail: string;
}

/** What is found in text from outside. */
export type FindingKind =
  | 'surrogate' // half of a surrogate pair; becomes U+FFFD
  | 'line-end' // CR, CR LF, vertical tab, form feed, NEL, U+2028, U+2029; becomes a newline
  | 'control' // C0 and C1 controls other than tab and newline
  | 'direction' // marks that reorder what a reader sees
  | 'invisible' // zero-width characters without a meaning in any script, byte order mark
  | 'ligature' // U+FB00 to U+FB06, as PDF files spell fi and fl; becomes the letters
  | 'marks' // more than 30 combining marks on one character; the others go
  | 'tag' // U+E0000 to U+E007F: invisible ASCII
  | 'normalised' // composed by NFC
  | 'joiner' // ZWJ and ZWNJ: meaningful in some scripts
  | 'variation' // variation selectors
  | 'soft-hyphen'
  | 'private-use'
  | 'marker' // spells a marker of the prompt format or a special token
  | 'answer-cue'; // spells the phrase with which a model announces its answer

export interface Cleaned {
  readonly text: string;
  readonly findings: readonly Finding[];
}

interface Rule {
  readonly kind: FindingKind;
  readonly pattern: RegExp;
  /** What takes the place (`$1` is the first group); undefined keeps the text and only reports it. */
  readonly by?: string | ((found: string) => string);
}

const ligatures: Readonly<Record<string, string>> = {
  '\ufb00': 'ff',
  '\ufb01': 'fi',
  '\ufb02': 'fl',
  '\ufb03': 'ffi',
  '\ufb04': 'ffl',
  '\ufb05': 'st',
  '\ufb06': 'st',
};

/** Applied in this order. All but line ends and marks are code points, so that a count of matches is one of characters. */
const rules: readonly Rule[] = [
  { kind: 'surrogate', pattern: /\p{Surrogate}/gu, by: '\uFFFD' },
  { kind: 'line-end', pattern: /\r\n?|[\v\f\x85\u2028\u2029]/g, by: '\n' },
  { kind: 'control', pattern: /[\0-\x08\x0e-\x1f\x7f-\x84\x86-\x9f]/g, by: '' },
  { kind: 'direction', pattern: /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, by: '' },
  { kind: 'invisible', pattern: /[\u200b\u2060-\u2064\u206a-\u206f\ufeff\ufff9-\ufffb]/g, by: '' },
  { kind: 'tag', pattern: /[\u{e0000}-\u{e007f}]/gu, by: '' },
  { kind: 'ligature', pattern: /[\ufb00-\ufb06]/g, by: found => ligatures[found]! },
  { kind: 'marks', pattern: markRun, by: '$1' },
  { kind: 'joiner', pattern: /\u200c|\u200d/g },
  { kind: 'variation', pattern: /[\ufe00-\ufe0f\u{e0100}-\u{e01ef}]/gu },
  { kind: 'soft-hyphen', pattern: /\u00ad/g },
  { kind: 'private-use', pattern: /\p{Co}/gu },
];

/**
 * Text from outside as a model may see it: without characters that a reader cannot see (directions, tags, controls,
 * zero-width), with newlines as U+000A, ligatures as letters, and composed by NFC. Never NFKC, which would turn `10⁵` into `105` and `½` into
 * `1⁄2`: dose units, superscripts and fractions pass through unchanged. Cleaning twice is cleaning once.
 */
export function cleanText(text: string, where = 'text'): Cleaned {
  if (/^[\t\n\x20-\x7e]*$/.test(text)) return { text, findings: [] };
  const findings: Finding[] = [];
  let result = text;
  for (const { kind, pattern, by } of rules) {
    const found = result.match(pattern);
    if (!found) continue;
    const action = by === undefined ? 'kept' : by === '' || kind === 'marks' ? 'removed' : 'replaced';
    const detail = listed(found.map(spelled => codePoints(spelled.slice(0, 2))));
    findings.push({ where, kind, action, count: found.length, detail });
    if (by !== undefined) result = result.replace(pattern, by as string);
  }
  const composed = result.normalize('NFC');
  if (composed !== result) {
    findings.push({ where, kind: 'normalised', action: 'rewritten', count: 1, detail: 'Unicode NFC' });
  }
  return { text: composed, findings };
}

/** Up to five different strings of a list, for a finding's detail. */
export function listed(found: readonly string[]): string {
  const different = [...new Set(found)];
  return different.slice(0, 5).join(' ') + (different.length > 5 ? ' ...' : '');
}

function codePoints(text: string): string {
  return Array.from(text, c => `U+${c.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}`).join('+');
}
