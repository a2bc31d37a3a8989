import { type Cleaned, type Finding, type FindingKind, listed } from './hygiene.js';
import { specialShape } from './special.js';

/**
 * A literal that has a meaning in a prompt format and that text from outside might spell. In formats made of plain text
 * there is no token to tell the two apart, so the literal is rewritten visibly; this makes forging harder, it does not
 * make it impossible. `rewrite` undefined keeps the text and only reports it.
 */
export interface Marker {
  /** What a {@link Finding} calls it. */
  readonly kind: FindingKind;
  /** What spells it; with the flag `g`. */
  readonly pattern: RegExp;
  /** What takes its place; told the match and its groups, as by `String.replace`. */
  readonly rewrite?: (...match: string[]) => string;
}

/** Special tokens: they stay text, because the engine never makes a special token of text from outside. */
export const specialTokens: Marker = { kind: 'marker', pattern: specialShape };

/** The answer phrase where it has no place in the format: reported, since answers are only read from generated text. */
export const answerCue: Marker = { kind: 'answer-cue', pattern: /\bthe answer is[ \t]*:/gi };

/** The answer phrase where the format itself uses it. */
export const answerMarker: Marker = {
  kind: 'answer-cue',
  pattern: /\b(the answer is)[ \t]*:/gi,
  rewrite: (_, phrase) => `${phrase}[:]`,
};

/** `###`, the separator of one-shot conversations and Alpaca, and a stop string. */
export const hashes: Marker = {
  kind: 'marker',
  pattern: /#{3,}/g,
  rewrite: match => Array.from(match!).join(' '),
};

/** Llama-2's `[INST]` and `<<SYS>>`, which are plain text and no tokens. */
export const instMarkers: Marker = {
  kind: 'marker',
  pattern: /\[(\/?INST)\]|<<(\/?SYS)>>/gi,
  rewrite: (_, inst, sys) => (inst ? `[ ${inst} ]` : `< <${sys}> >`),
};

/** The roles of OLMo-2 and Tülu, which are plain text and no tokens. */
export const roleMarkers: Marker = {
  kind: 'marker',
  pattern: /<\|(user|assistant|system)\|>/gi,
  rewrite: (_, role) => `<| ${role} |>`,
};

/** Words with a colon that open a line in the format: `User:`, `Question:`. */
export function lineMarkers(...words: readonly string[]): Marker {
  return {
    kind: 'marker',
    pattern: new RegExp(`^([ \\t]*(?:${words.join('|')}))[ \\t]*:`, 'gim'),
    rewrite: (_, word) => `${word}[:]`,
  };
}

/** Reports every marker in a text and, if `rewriting`, makes those of plain-text formats harmless. */
export function neutralise(text: string, markers: readonly Marker[], where: string, rewriting: boolean): Cleaned {
  const findings: Finding[] = [];
  let result = text;
  for (const { kind, pattern, rewrite } of markers) {
    const found = result.match(pattern);
    if (!found) continue;
    const action = rewriting && rewrite ? 'rewritten' : 'kept';
    findings.push({ where, kind, action, count: found.length, detail: listed(found.map(match => match.trim())) });
    if (rewriting && rewrite) result = result.replace(pattern, (...match) => rewrite(...(match as string[])));
  }
  return { text: result, findings };
}
