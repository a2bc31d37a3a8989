import { MeditronError } from '../../check/errors.js';
import type { Row } from './row.js';

/** A number that names the right one of a question's options, and the row that says so. */
export interface Numbered {
  readonly row: Row;
  readonly number: number;
}

/**
 * Where the numbers of a file that name right options count from. A 0 means from 0, a number as large as the count of the
 * options means from 1; without either nothing is guessed, because a wrong guess shifts every answer by one.
 *
 * @throws MeditronError `ERR_INPUT` with the rows if both occur, or neither; if `given` contradicts them
 */
export function baseOf(field: string, numbers: readonly Numbered[], count: number, given: 0 | 1 | undefined): 0 | 1 {
  const outside = numbers.find(({ number }) => !Number.isInteger(number) || number < 0 || number > count);
  if (outside) throw outside.row.fail(field, `the number of one of ${count} options`, outside.number);
  const zero = numbers.find(({ number }) => number === 0);
  const last = numbers.find(({ number }) => number === count);
  const { file } = numbers[0]!.row;
  const said = ({ number, row }: Numbered) => `${number} at ${row.file === file ? '' : `${row.file}, `}${row.where}`;
  const fail = (message: string) => new MeditronError('ERR_INPUT', `${file}: ${message}`);
  if (zero && last)
    throw fail(`\`${field}\` is ${said(zero)}, and ${said(last)}: it must count from 0 or from 1 throughout`);
  const against = given === 1 ? zero : given === 0 ? last : undefined;
  if (against) throw fail(`\`${field}\` does not count from ${given}: it is ${said(against)}`);
  if (given !== undefined) return given;
  if (zero) return 0;
  if (last) return 1;
  throw fail(
    `none of ${numbers.length} rows has \`${field}\` 0 or ${count}, so it is not known whether it counts from 0 or from 1; ` +
      'use the complete file, or say so with `countsFrom` 0 or 1',
  );
}
