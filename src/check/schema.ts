import * as v from 'valibot';
import { describe, MeditronError } from './errors.js';

/**
 * A value that was read back from a file, once it has the shape it was written with. `where` names the file, and the line if
 * there are several.
 *
 * @throws MeditronError `ERR_INPUT` with `where`, the field, what was expected and what came
 */
export function checked<T>(schema: v.GenericSchema<unknown, T>, value: unknown, where: string): T {
  const result = v.safeParse(schema, value, { abortEarly: true });
  if (result.success) return result.output;
  throw new MeditronError('ERR_INPUT', `${where}: ${inWords(result.issues[0])}`);
}

function inWords(issue: v.BaseIssue<unknown>): string {
  const field = v.getDotPath(issue);
  return `expected ${field === null ? 'the whole' : `\`${field}\``} to be ${expectedIn(issue)}, got ${describe(issue.input)}`;
}

const kinds: Readonly<Record<string, string>> = {
  number: 'a number',
  string: 'a text',
  boolean: 'true or false',
  Array: 'an array',
  Object: 'an object',
};

/** What a schema expected, in words. */
export function expectedIn({ expected, message }: v.BaseIssue<unknown>): string {
  if (expected === null) return message;
  const choices = /^\((.*)\)$/.exec(expected)?.[1];
  if (choices !== undefined) return `one of ${choices.replaceAll('"', '').replaceAll(' | ', ', ')}`;
  return kinds[expected] ?? expected;
}
