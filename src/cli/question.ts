import { existsSync } from 'node:fs';
import { MeditronError } from '../check/errors.js';
import { type QuestionReading, readQuestionText } from '../prompt/question/text.js';
import { textFrom } from './input.js';

/** What a command says of its argument. */
export const questionHelp =
  'a file (JSON, or plain text with lettered options), - for standard input, or the question itself';

/**
 * The question of a command: a file, `-` or nothing for standard input, or else the words themselves. JSON, or plain text with
 * its options; and how it was read.
 */
export async function questionFrom(words: readonly string[], signal: AbortSignal): Promise<QuestionReading> {
  const [first, ...more] = words;
  if (first === undefined || (first === '-' && more.length === 0))
    return readQuestionText(await textFrom({}, 'FILE or TEXT', signal));
  if (words.join('').trim() === '')
    throw new MeditronError('ERR_INPUT', 'Expected a question or a file, got blank text');
  if (more.length === 0 && (existsSync(first) || looksLikeFile(first)))
    return readQuestionText(await textFrom({ file: first }, 'FILE', signal));
  return readQuestionText(words.join(' '));
}

/** A misspelt file name must not be asked as a question. */
function looksLikeFile(word: string): boolean {
  if (/\s/.test(word)) return false;
  if (/[/\\]|\.(json|txt|md)$/i.test(word)) return true;
  if (/[?]$/.test(word)) return false;
  throw new MeditronError(
    'ERR_INPUT',
    `There is no file ${word}; a question in words has more than one: put it in quotes`,
  );
}
