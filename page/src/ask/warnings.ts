import type { Messages } from '../words/en.js';

/** What the library warns of and a clinician meets, by how it says that; the rest is for who looks after the machine. */
const known: readonly (readonly [pattern: RegExp, key: keyof Messages['warned']])[] = [
  [/^This is [^:]+, a demonstration: .* can be wrong together$/, 'inside'],
  [/^This is [^:]+, a demonstration: .* means nothing; ask another model$/, 'outside'],
  [/^At temperature 0 all samples are the same/, 'alike'],
  [/^Options have the same text: .* one answer/, 'equal'],
  [/^Samples may have \d+ new tokens instead of \d+/, 'shorter'],
  [/^\d+ of \d+ samples run at once/, 'waves'],
  [/^The question has \d+ tokens and an answer up to \d+/, 'beyond'],
  [/^The model file had not been read to its end/, 'unhashed'],
];

/** A warning in the page's words; null: as the program says it, in English. */
export function inOwnWords(warning: string, { warned }: Pick<Messages, 'warned'>): string | null {
  const key = known.find(([pattern]) => pattern.test(warning))?.[1];
  return key === undefined ? null : warned[key];
}
