import { sealLine } from '../../../src/evaluate/storage/lines.js';

/** The JSON of the lines of a results file, without their checksums. */
export const linesOf = (text: string): string[] =>
  text
    .trimEnd()
    .split('\n')
    .map(line => line.replace(/,"sha256":"[0-9a-f]{64}"\}$/, '}'));

/** A results file of these lines with checksums that fit, as somebody writes it who knows how. */
export function resealed(lines: readonly string[]): string {
  let last = '';
  return lines
    .map(json => {
      const { bytes, sha256 } = sealLine(json, last);
      last = sha256;
      return bytes.toString('utf8');
    })
    .join('');
}
