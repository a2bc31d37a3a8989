import { checkAsked } from '../../ask/asked.js';
import type { AskOptions } from '../../ask/options.js';
import { MeditronError } from '../../check/errors.js';
import { jsonHash } from '../../check/seal.js';
import { parseQuestion, type Question } from '../../prompt/question/question.js';
import { RequestError } from '../error.js';
import type { Pool } from '../pool/pool.js';
import type { Reading } from './protocol.js';
import { readingOf } from './read.js';

/** What is asked, of whom: checked. */
export interface AskWork {
  readonly id: string | null;
  readonly model: string;
  readonly question: Question;
  readonly reading: Reading | null;
  readonly settings: AskOptions;
  /** Tells two requests apart. */
  readonly hash: string;
}

/** @throws MeditronError `ERR_OPTION`, `ERR_INPUT`, `ERR_UNKNOWN_MODEL`; RequestError */
export function workOf(body: Record<string, unknown>, pool: Pool): AskWork {
  const { model, text, question: given, id = null, ...settings } = body;
  if ((text === undefined) === (given === undefined))
    throw new RequestError(400, 'Expected `text` or `question`, one of them', 'text', {}, 'ERR_OPTION');
  const reading = text === undefined ? null : readingOf(textIn('text', text));
  const question = reading ? reading.question : parseQuestion(given);
  checkAsked(question, settings as AskOptions);
  const name = pool.find(model === undefined ? undefined : textIn('model', model)).name;
  return { id: id === null ? null : idOf(id), model: name, question, reading, settings, hash: jsonHash(body) };
}

function textIn(field: string, value: unknown): string {
  if (typeof value === 'string') return value;
  throw new RequestError(400, `Expected \`${field}\` to be a string, got ${typeof value}`, field, {}, 'ERR_OPTION');
}

/** Whoever knows the id sees the question: it must not be guessed. */
function idOf(id: unknown): string {
  if (typeof id === 'string' && /^[\w-]{16,64}$/.test(id)) return id;
  throw new MeditronError(
    'ERR_OPTION',
    'Expected `id` to be 16 to 64 letters, digits, `-` and `_` that nobody can guess, got something else',
  );
}
