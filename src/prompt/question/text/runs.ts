import { MeditronError } from '../../../check/errors.js';
import type { Line } from './lines.js';
import { isLettered, type Mark, marksInside } from './marks.js';

/** A mark in its place, with the text behind it up to the next mark or the end of its line. */
export interface Item {
  /** Index of its line. */
  readonly line: number;
  readonly mark: Mark;
  /** 1 for the first option. */
  readonly ordinal: number;
  readonly text: string;
  /** Whether the text is the rest of its line. */
  readonly last: boolean;
}

/** Marks of one style that count 1, 2, 3, ...: options, or a list. */
export interface Run {
  readonly style: string;
  readonly sequence: string;
  readonly frame: string;
  /** In the order of the text. */
  readonly items: readonly Item[];
  /** Whether some marks stand inside a line. */
  readonly inside: boolean;
}

interface Growing {
  style: string;
  marks: { line: number; mark: Mark; inside: boolean }[];
  strays: number;
}

/** Whether a line ends what came before it: a key, or the heading of an explanation. */
export function closes(line: Line): boolean {
  return line.explains || (line.key !== undefined && line.key.strength !== 'weak');
}

/** Every run of at least two, in the order of the text; where two cover the same lines, the better one. */
export function runsOf(lines: readonly Line[]): readonly Run[] {
  const own = grow(lines, line => line.marks.map(mark => ({ mark, inside: false })))
    .filter(run => run.marks.length >= (run.style.endsWith('bare') ? 3 : 2))
    .map(run => withInside(lines, run));
  const every = grow(lines, allMarks)
    .filter(({ strays, marks }) => strays === 0 && marks.length >= 2 && marks.some(({ inside }) => inside))
    .filter(({ style, marks }) => !own.some(run => run.style === style && overlaps(run, marks)))
    .map(run => runOf(lines, run.style, run.marks));
  return withoutOverlaps([...own, ...every].sort((a, b) => a.items[0]!.line - b.items[0]!.line));
}

/** Counts the marks of every style through the text. */
function grow(lines: readonly Line[], marksOf: (line: Line) => readonly { mark: Mark; inside: boolean }[]): Growing[] {
  const open = new Map<string, Growing>();
  const all: Growing[] = [];
  lines.forEach((line, i) => {
    if (closes(line)) {
      for (const [style, { marks }] of open)
        if (marks.length >= 2 || (marks[0]!.line === 0 && marks[0]!.mark.sequence === '1')) open.delete(style);
      return;
    }
    for (const { mark, inside } of marksOf(line)) {
      const run = open.get(mark.style);
      const bullet = mark.ordinal === 0;
      const next = run && (bullet ? connected(lines, run, i) : mark.ordinal === run.marks.length + 1);
      if (next && near(lines, run, i, mark) && !(isGenus(line, mark, inside) && beginsLarge(lines, run))) {
        run.marks.push({ line: i, mark, inside });
      } else if (bullet || mark.ordinal === 1) {
        const begun = { style: mark.style, marks: [{ line: i, mark, inside }], strays: 0 };
        open.set(mark.style, begun);
        all.push(begun);
      } else if (run && !isGenus(line, mark, inside)) run.strays++;
    }
  });
  return all;
}

function allMarks(line: Line): { mark: Mark; inside: boolean }[] {
  const first = line.marks.filter(({ ordinal }) => ordinal > 0);
  const from = first.length === 0 ? 0 : Math.min(...first.map(({ end }) => end));
  const inside = marksInside(line.folded, from);
  return [...first.map(mark => ({ mark, inside: false })), ...inside.map(mark => ({ mark, inside: true }))];
}

/** `E. coli`: a capital and a full stop before a small letter, one blank after other words. */
function isGenus(line: Line, mark: Mark, inside: boolean): boolean {
  return (
    inside &&
    mark.sequence === 'A' &&
    mark.frame === '.' &&
    /\p{Ll}/u.test(line.text[mark.end] ?? '') &&
    !/(?:\s{2}|\t)$/.test(line.folded.slice(0, mark.start))
  );
}

function beginsLarge(lines: readonly Line[], { marks: [first] }: Growing): boolean {
  return !/\p{Ll}/u.test(lines[first!.line]!.text[first!.mark.end] ?? '');
}

/** Whether a mark inside a line stands apart, as in columns. */
function isWide(line: Line, mark: Mark): boolean {
  const before = line.folded.slice(Math.max(0, mark.start - 2), mark.start);
  return /(?:\s{2}|\t)$/.test(before) || (line.table && /\|\s?$/.test(before));
}

/** Bullets belong together while nothing else stands between them that is not indented. */
function connected(lines: readonly Line[], run: Growing, to: number): boolean {
  const last = run.marks.at(-1)!;
  for (let i = last.line + 1; i < to; i++)
    if (!lines[i]!.blank && lines[i]!.indent <= lines[last.line]!.indent) return false;
  return true;
}

/** A letter without punctuation is a mark only where the line before has the one before. */
function near(lines: readonly Line[], run: Growing, to: number, mark: Mark): boolean {
  if (mark.frame !== 'bare') return true;
  for (let i = run.marks.at(-1)!.line + 1; i < to; i++) if (!lines[i]!.blank) return false;
  return true;
}

/**
 * A run of line beginnings with the marks of its style inside its lines, if these go on where it ends: two columns. Marks
 * inside that could be text or options are refused.
 */
function withInside(lines: readonly Line[], run: Growing): Run {
  const plain = runOf(lines, run.style, run.marks);
  if (run.marks[0]!.mark.ordinal === 0) return plain;
  const inside = run.marks.flatMap(({ line, mark: first }) =>
    marksInside(lines[line]!.folded, first.end)
      .filter(mark => mark.style === run.style && mark.ordinal > run.marks.length)
      .filter(mark => !isGenus(lines[line]!, mark, true))
      .map(mark => ({ line, mark, inside: true })),
  );
  if (inside.length === 0) return plain;
  const all = [...run.marks, ...inside].sort((a, b) => a.line - b.line || a.mark.start - b.mark.start);
  const ordinals = all.map(({ mark }) => mark.ordinal).sort((a, b) => a - b);
  const complete = ordinals.every((ordinal, i) => ordinal === i + 1);
  if (complete && inside.every(({ line, mark }) => isWide(lines[line]!, mark))) return runOf(lines, run.style, all);
  const { line, mark } = inside[0]!;
  if (!complete && mark.ordinal > run.marks.length + 1 && !isWide(lines[line]!, mark)) return plain;
  throw refused(lines[line]!, `it may hold more than one option (${mark.shown} stands inside it)`);
}

function runOf(lines: readonly Line[], style: string, marks: Growing['marks']): Run {
  const items = marks.map(({ line, mark }, i) => {
    const next = marks[i + 1];
    const last = next === undefined || next.line !== line;
    const text = lines[line]!.text.slice(mark.end, last ? undefined : next.mark.start).trim();
    const cell = lines[line]!.table && last ? text.replace(/\s*\|$/, '') : text;
    return { line, mark, ordinal: mark.ordinal || i + 1, text: cell, last };
  });
  const { sequence, frame } = marks[0]!.mark;
  return { style, sequence, frame, items, inside: marks.some(({ inside }) => inside) };
}

function overlaps(run: Run, marks: Growing['marks']): boolean {
  return marks[0]!.line <= run.items.at(-1)!.line && run.items[0]!.line <= marks.at(-1)!.line;
}

/** Of runs that share lines the one that says more: named over bullets, line beginnings over insides, longer, earlier. */
function withoutOverlaps(runs: readonly Run[]): readonly Run[] {
  const kept: Run[] = [];
  for (const run of runs) {
    const before = kept.at(-1);
    if (!before || before.items.at(-1)!.line < run.items[0]!.line) kept.push(run);
    else if (weight(run) > weight(before)) {
      kept.pop();
      while (kept.length > 0 && kept.at(-1)!.items.at(-1)!.line >= run.items[0]!.line) kept.pop();
      kept.push(run);
    }
  }
  return kept;
}

function weight({ items, inside, sequence, frame }: Run): number {
  const named = items[0]!.mark.ordinal > 0 ? 1000 : 0;
  const firm = /^(?:bare|alone|tab)$/.test(frame) ? 0 : 100;
  return named + firm + (inside ? 0 : 2000) + (isLettered(sequence) ? 50 : 0) + items.length;
}

/** The refusal of a line: where, why, and how it should be. The line itself is patient data, and error texts end in logs. */
export function refused(line: Line | undefined, why: string): MeditronError {
  const where = line ? `Line ${line.number}: ` : '';
  return new MeditronError('ERR_INPUT', `${where}${why}${why.endsWith('?') ? '' : '.'} ${howTo}`);
}

const howTo =
  'Write the question, each option on a line of its own (`A. text`, its further lines indented), then at most a key (`Answer: A`); or give JSON';

export function short(text: string): string {
  return text.length > 40 ? `${text.slice(0, 37)}...` : text;
}

export function startsAs(line: Line, run: Run): boolean {
  return line.marks.some(({ style }) => style === run.style);
}

export function startsLine(line: Line, item: Item): boolean {
  return item.mark.start <= line.indent;
}

export function plain(text: string): string {
  return text.replace(/\s+/g, ' ').trim().replace(/[.;]$/, '').toLowerCase();
}
