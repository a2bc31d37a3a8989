import type { Context } from 'hono';
import * as v from 'valibot';
import { describe, named } from '../../check/errors.js';
import { nearest } from '../../check/options.js';
import { expectedIn } from '../../check/schema.js';
import { parseJson } from '../../prompt/question/json.js';
import { RequestError } from '../error.js';

/**
 * The body of a request, once it has the shape of the schema.
 *
 * @throws RequestError 400 with the field, what was expected and what came; nothing of a text is quoted
 */
export async function bodyOf<T>(c: Context, schema: v.GenericSchema<unknown, T>): Promise<T> {
  return checkedBody(await jsonOf(c), schema);
}

/** The body as it is, an object. @throws RequestError 400; MeditronError `ERR_INPUT` if it is no JSON */
export async function jsonOf(c: Context): Promise<Record<string, unknown>> {
  const body = parseJson(await c.req.text(), 'The body');
  if (typeof body === 'object' && body !== null && !Array.isArray(body)) return body as Record<string, unknown>;
  throw new RequestError(400, `Expected the body to be a JSON object, got ${describe(body)}`);
}

export function checkedBody<T>(body: unknown, schema: v.GenericSchema<unknown, T>): T {
  const result = v.safeParse(schema, body, { abortEarly: true });
  if (result.success) return result.output;
  const [issue] = result.issues;
  const path = placeOf(issue);
  const key = issue.path?.at(-1)?.key;
  if (issue.type === 'strict_object' && issue.expected === 'never' && typeof key === 'string') {
    const known = Object.keys((schema as unknown as { readonly entries?: object }).entries ?? {});
    const near = nearest(key, known);
    const hint = near ? `did you mean \`${near}\`?` : `known fields: ${known.join(', ')}`;
    throw new RequestError(400, `Unknown field ${named(key)}; ${hint}`, key.length > 60 ? null : key, {}, 'ERR_OPTION');
  }
  const missing = issue.kind === 'schema' && issue.received === 'undefined';
  const said = issue.kind !== 'schema' || !issue.message.startsWith('Invalid '); // by the schema, in words
  const expected = missing ? 'given' : said ? issue.message : expectedIn(issue);
  const got = describe(issue.input);
  const what = path === null ? 'the body' : `\`${path}\``;
  throw new RequestError(
    400,
    `Expected ${what} to be ${expected}, got ${missing ? 'none' : got}`,
    path,
    {},
    'ERR_OPTION',
  );
}

/** As `messages[0].role`; null for the whole. */
function placeOf({ path }: v.BaseIssue<unknown>): string | null {
  const keys = path?.map(({ type, key }) => (type === 'array' ? `[${key}]` : `.${key}`)) ?? [];
  return keys.length === 0 ? null : keys.join('').replace(/^\./, '');
}
