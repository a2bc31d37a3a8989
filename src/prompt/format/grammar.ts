import { integer } from '../../check/options.js';
import { maxRankedItems } from './open.js';

/** What a name may not contain: quotes and backslashes, so that no escapes are needed, and all that cannot be seen. */
const letterRule = '[^"\\\\\\x01-\\x1F\\x7F-\\x9F\\u061C\\u200B-\\u200F\\u2028-\\u202E\\u2060-\\u206F\\uFEFF\\uFFFD]';

/**
 * A GBNF grammar for `{"diagnoses": ["...", ...]}` with 1 to `items` names of 1 to `maxLength` characters, on one line, not
 * starting with a space. It is made of constants and two numbers: no text from outside enters a grammar. A repetition in a grammar
 * is at most 2000, so `maxLength` ends there.
 */
export function rankedGrammar(items: number, maxLength = 80): string {
  integer('items', items, 1, maxRankedItems);
  integer('maxLength', maxLength, 1, 2000);
  const more = items > 1 ? ` (", " name){0,${items - 1}}` : '';
  const tail = maxLength > 1 ? ` char{0,${maxLength - 1}}` : '';
  return [
    `root ::= " "? "{\\"diagnoses\\": [" name${more} "]}"`,
    `name ::= "\\"" first${tail} "\\""`,
    `first ::= ${letterRule.replace('[^', '[^ ')}`,
    `char ::= ${letterRule}`,
    '',
  ].join('\n');
}
