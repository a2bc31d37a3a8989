import { type Cleaned, listed } from './hygiene.js';

/** Names of special tokens in square brackets: of MEDITRON, Mistral and BERT vocabularies. Other bracketed words are text. */
const bracketed =
  'bib_ref|fig_ref|bib|fig|table|formula|' +
  'INST|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_RESULTS|TOOL_CALLS|TOOL_CONTENT|IMG|IMG_BREAK|IMG_END|THINK|PREFIX|MIDDLE|SUFFIX|' +
  'CLS|SEP|MASK|PAD|UNK|BOS|EOS|EOD|gMASK|sMASK|control_\\d{1,4}';

/**
 * The shape of a special token: `<s>`, `</s>`, `<0x0A>`, a name in angle brackets (`<start_of_turn>`, `<unk>`) or between
 * bars (`<|eot_id|>`), `<<SYS>>`, and certain names in square brackets. No name has a space, so that `BP <90 and >60` and
 * `p<0.05` have no such shape, nor a single letter but s.
 */
const shape = String.raw`<\/?s>|<0x[0-9A-Fa-f]{2}>|<[|｜][^<>\s]{1,80}[|｜]>|<\/?[\p{L}_][^<>\s]{1,80}>|\[\/?(?:${bracketed})\]`;

/** All special tokens that a text spells, in whatever vocabulary. */
export const specialShape = new RegExp(shape, 'gu');

/** Every bracket at which a special token begins, also inside another: `<|[SEP]|>` has two. */
const specialStart = new RegExp(`(?=(${shape}))[<[]`, 'gu');

/**
 * Text from outside for a receiver that makes special tokens of whatever spells one: a space behind every bracket at which one
 * begins breaks them all, with a finding, and makes no new one, because no spelling has a space. All other text stays byte for
 * byte.
 */
export function breakSpecials(text: string, where = 'text'): Cleaned {
  const found = Array.from(text.matchAll(specialStart), match => match[1]!);
  if (found.length === 0) return { text, findings: [] };
  return {
    text: text.replace(specialStart, '$& '),
    findings: [{ where, kind: 'marker', action: 'rewritten', count: found.length, detail: listed(found) }],
  };
}
