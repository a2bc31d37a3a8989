import stringWidth from 'string-width';
import wrap from 'wrap-ansi';
import { largest } from '../../engine/capacity/need.js';

export type Row = readonly [label: string, value: string];

/** Rows of label and value, aligned; long values go on below themselves. */
export function table(rows: readonly Row[], columns = process.stdout.columns ?? 100): string {
  const left = largest(rows.map(([label]) => stringWidth(label))) + 2;
  return rows
    .map(([label, value]) => {
      const lines = wrap(value, Math.max(20, columns - left)).split('\n');
      return lines
        .map((line, i) => (i === 0 ? label + ' '.repeat(left - stringWidth(label)) : ' '.repeat(left)) + line)
        .join('\n');
    })
    .map(line => `${line.trimEnd()}\n`)
    .join('');
}

/** Lines of cells, each column as wide as its widest cell. */
export function columns(lines: readonly (readonly string[])[]): string {
  const widths = lines[0]!.map((_, i) => largest(lines.map(line => stringWidth(line[i]!))));
  return lines
    .map(line => line.map((cell, i) => cell + ' '.repeat(widths[i]! - stringWidth(cell))).join('  '))
    .map(line => `${line.trimEnd()}\n`)
    .join('');
}
