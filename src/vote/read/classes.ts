import { normalized } from '../../check/unicode.js';
import type { Protocol } from '../../types.js';

/** Which answers on offer are the same answer: the letters of options with equal texts. */
export interface AnswerClasses {
  /** One label for each answer, the first that has it. */
  readonly labels: readonly string[];
  /** The label that an answer counts as: the first of its class; whatever is on no offer, itself. */
  of(answer: string): string;
  /** The labels of each class, in the order of `labels`. */
  readonly members: readonly (readonly string[])[];
  /** What has to be said of equal options. */
  readonly warning: string | undefined;
}

/**
 * Under `strict` options with the same text (after trimming and Unicode NFC) are one answer, named by the first of their
 * letters: in votes, agreement, stopping, probabilities and where an answer is compared with the right one. The other
 * protocols count letters, as published. `texts` belong to `labels` by position; none for yes, no and maybe.
 */
export function answerClasses(
  protocol: Protocol,
  labels: readonly string[],
  texts: readonly string[] = labels,
): AnswerClasses {
  const byText = new Map<string, string[]>();
  for (const [i, label] of labels.entries()) {
    const text = normalized(texts[i]!.trim(), 'NFC');
    byText.set(text, [...(byText.get(text) ?? []), label]);
  }
  const equal = [...byText.values()];
  const repeated = equal.filter(({ length }) => length > 1).map(same => same.join(' = '));
  const merged = protocol === 'strict';
  const members = merged ? equal : labels.map(label => [label]);
  const first = new Map(members.flatMap(same => same.map(label => [label, same[0]!] as const)));
  const how = merged
    ? 'they count as one answer, by the first letter'
    : `under ${protocol} each letter counts for itself`;
  return {
    labels: members.map(same => same[0]!),
    of: answer => first.get(answer) ?? answer,
    members,
    warning: repeated.length === 0 ? undefined : `Options have the same text: ${repeated.join(', ')}; ${how}`,
  };
}
