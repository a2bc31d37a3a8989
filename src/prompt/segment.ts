import type { Segment } from '../types.js';

/** Something a prompt format may put between its own literal text: fixed segments, or text from outside. */
export type Part = string | readonly Segment[];

/**
 * A tagged template for prompts: the literal text is the format's own, every interpolated string is text from outside
 * (and stays so, whatever it spells), and interpolated segments are kept as they are. Neighbouring pieces of the
 * format's own text become one segment.
 */
export function prompt(literals: TemplateStringsArray, ...parts: readonly Part[]): Segment[] {
  const segments: Segment[] = [];
  literals.forEach((literal, i) => {
    append(segments, { text: literal, template: true });
    const part = parts[i];
    if (part === undefined) return;
    if (typeof part === 'string') append(segments, { text: part, template: false });
    else for (const segment of part) append(segments, segment);
  });
  return segments;
}

/** Text of ours to interpolate in {@link prompt}: an instruction constant, a marker. */
export function fixed(text: string): readonly Segment[] {
  return [{ text, template: true }];
}

/** Lists of segments one after the other, with a literal of ours between them. */
export function join(parts: readonly (readonly Segment[])[], separator: string): Segment[] {
  const segments: Segment[] = [];
  parts.forEach((part, i) => {
    if (i > 0) append(segments, { text: separator, template: true });
    for (const segment of part) append(segments, segment);
  });
  return segments;
}

/** Segments without the white space at either end, as templates that trim their messages write them. */
export function trimmed(segments: readonly Segment[]): Segment[] {
  const seen = segments.map(({ text }) => text.trim() !== '');
  const [first, last] = [seen.indexOf(true), seen.lastIndexOf(true)];
  return segments.slice(Math.max(0, first), last + 1).map((segment, i) => {
    const text = i === 0 ? segment.text.trimStart() : segment.text;
    return { ...segment, text: i === last - first ? text.trimEnd() : text };
  });
}

/** The prompt as one string, as a person would read it. */
export function textOf(segments: readonly Segment[]): string {
  return segments.map(segment => segment.text).join('');
}

function append(segments: Segment[], segment: Segment): void {
  const last = segments.at(-1);
  if (segment.template && segment.text === '') return;
  if (segment.template && last?.template) segments[segments.length - 1] = { ...last, text: last.text + segment.text };
  else segments.push(segment);
}
