import { MeditronError } from '../../../check/errors.js';
import { footer, type KeyLine, keyLine, noteHeading, noteLine } from './keys.js';
import { type Mark, marksAt } from './marks.js';

/** One line of a pasted question, and everything it can be on its own. What it is depends on its neighbours. */
export interface Line {
  /** Counted from 1, as an editor counts. */
  readonly number: number;
  /** As it was pasted. */
  readonly raw: string;
  /** Without quotation marks, common indentation and trailing blanks. */
  readonly text: string;
  /** `text` with full-width forms, dashes and blanks as their ASCII likes, one for one, so that offsets agree. */
  readonly folded: string;
  readonly blank: boolean;
  /** A line that only divides: `---`, `|---|`, ` ``` `. */
  readonly rule: boolean;
  readonly indent: number;
  /** Marks it can begin with, one for each style that fits. */
  readonly marks: readonly Mark[];
  readonly key: KeyLine | undefined;
  /** Begins an explanation or references, which go on to the end. */
  readonly explains: boolean;
  /** Says something about the question and is no part of it: `Topic: cardiology`. */
  readonly field: boolean;
  readonly footer: ReturnType<typeof footer>;
  readonly asks: boolean;
  /** Begins with `>` where other lines do not. */
  readonly quoted: boolean;
  /** A row of a table. */
  readonly table: boolean;
}

/** What `linesOf` took off around the text. */
export interface Wrapping {
  readonly quotes: boolean;
  readonly breaks: boolean;
}

/** No question has more, and each is looked at from many sides. */
const maxLines = 10_000;

export function linesOf(text: string): { readonly lines: readonly Line[]; readonly wrapping: Wrapping } {
  const broken = text.replace(/^\uFEFF/, '').replace(/<br ?\/?>/gi, '\n');
  const raws = broken.split(/\r\n?|[\n\v\f\x85\u2028\u2029]/);
  if (raws.length > maxLines)
    throw new MeditronError('ERR_INPUT', `Expected a question of at most ${maxLines} lines, got ${raws.length}`);
  const unquoted = withoutQuotes(raws);
  const texts = withoutIndent(unquoted.map(raw => raw.trimEnd()));
  return {
    lines: texts.map((text, i) => lineOf(text, raws[i]!, i + 1)),
    wrapping: { quotes: unquoted !== raws, breaks: broken.length < text.length - 1 },
  };
}

function lineOf(text: string, raw: string, number: number): Line {
  const quoted = /^\s*>\s/.test(text);
  const folded = fold(text);
  const trimmed = folded.trim();
  return {
    number,
    raw,
    text,
    folded,
    blank: trimmed === '',
    rule: /^(?:[-*_=~]{3,}|`{3,}\w*|[|:\s-]*\|[|:\s-]*-{2,}[|:\s-]*)$/.test(trimmed.slice(0, 200)),
    indent: folded.length - folded.trimStart().length,
    marks: marksAt(quoted ? `  ${folded.replace('>', ' ')}`.slice(2) : folded),
    key: keyLine(trimmed),
    explains: noteHeading(trimmed),
    field: noteLine(trimmed),
    footer: footer(trimmed),
    asks: /[?？؟]/.test(text),
    quoted,
    table: /^\s*\|.*\|$/.test(text),
  };
}

/** Without `>` before every line, as mail programs quote; several deep. */
function withoutQuotes(raws: readonly string[]): readonly string[] {
  let lines = raws;
  while (lines.some(line => line.trim() !== '') && lines.every(line => line.trim() === '' || /^\s*>/.test(line)))
    lines = lines.map(line => line.replace(/^\s*> ?/, ''));
  return lines;
}

function withoutIndent(lines: readonly string[]): readonly string[] {
  let common: string | undefined;
  for (const line of lines) {
    if (line === '') continue;
    const indent = line.slice(0, line.length - line.trimStart().length);
    if (common === undefined) common = indent;
    while (!indent.startsWith(common)) common = common.slice(0, -1);
  }
  return lines.map(line => (line === '' ? '' : line.slice(common!.length)));
}

/** One UTF-16 unit for one, so that an offset in the result is one in the text. */
export function fold(text: string): string {
  if (/^[\t\x20-\x7e]*$/.test(text)) return text;
  return (
    text
      // The mark of `Ａ．- text` is `A.`, not the Spanish `A.-`.
      .replace(/\uff0e(\s?)[-\u2010-\u2015\u2212]/g, '.$1~')
      .replace(/[\uff01-\uff5e]/g, c => String.fromCharCode(c.charCodeAt(0) - 0xfee0))
      .replace(/[\u00a0\u2000-\u200f\u202a-\u202f\u205f-\u2064\u3000\ufeff]/g, ' ')
      .replace(/[\u2010-\u2015\u2212\x96\x97]/g, '-')
      .replace(/[【〔〖]/g, '[')
      .replace(/[】〕〗]/g, ']')
      .replace(/\ufe52/g, '.')
      .replace(/[\x95\uf0b7\uf0a7\uf0d8]/g, '•')
  );
}

/** Whether a line is indented from the line of its option: by a tab or by more than the blank that a copy may leave. */
export function isFurther({ text, indent }: Line, { indent: own }: Line): boolean {
  return indent > own + 1 || (indent > own && text[own] === '\t');
}

export function isBlank(text: string): boolean {
  return text.trim() === '';
}
