import { optionError } from '../../check/errors.js';
import { array, boolean, checkKeys, integer, object, oneOf, string } from '../../check/options.js';
import { type Protocol, protocols } from '../../types.js';
import type { AnswerForm, Extraction, ReadingRules } from './answer.js';
import { extractAuthors } from './authors.js';
import { answerClasses } from './classes.js';
import { extractStrict } from './strict.js';
import { splitThinking } from './thinking.js';

export type { AnswerForm, Extraction, ExtractRule, ReadingRules } from './answer.js';

/** How a text was made, as far as its reading depends on that. */
export interface ExtractOptions {
  /** Strings that end the text, in addition to the end tokens of the models. Default `['###']`; `strict`, `paper` only. */
  readonly stops?: readonly string[];
  /**
   * True if a blank line behind an answer ends the text, as where a base model goes on with a question of its own; `strict`,
   * `paper` only. Default false.
   */
  readonly blankLineEnds?: boolean;
  /** True if the prompt ended within the model's thinking; `strict`, `paper` only. Default false. */
  readonly begunThinking?: boolean;
  /** Default 2; 1 reads as releases before did; `strict`, `paper` only. */
  readonly rules?: ReadingRules;
  /** True if the text was generated after demonstrations (`authors-code` only). Default false. */
  readonly shots?: boolean;
  /** True if the text is a chain of thought (`authors-code` only). Default true. */
  readonly cot?: boolean;
}

/**
 * Reads the answer of one generated text, which must not include the prompt, as a protocol reads it: `strict` is ours,
 * `paper` reads as `strict` does (the paper does not say how it read), `authors-code` is the authors' `evaluate.py`. What a model
 * thinks (see {@link splitThinking}) is never read but under `authors-code`, which does not know of it. Every
 * text is read in time proportional to its length. Throws `ERR_OPTION` for a form or option that cannot be.
 */
export function extract(protocol: Protocol, text: string, form: AnswerForm, options: ExtractOptions = {}): Extraction {
  check(protocol, text, form, options);
  if (protocol === 'authors-code') {
    return extractAuthors(text, { kind: form.kind, shots: options.shots ?? false, cot: options.cot ?? true });
  }
  const { rules = 2, begunThinking, stops, blankLineEnds } = options;
  const said = rules === 1 ? text : splitThinking(text, begunThinking).said;
  return extractStrict(said, protocol === 'strict' ? withoutRepeats(form) : form, { stops, blankLineEnds, rules });
}

/** Options with the same text are one answer, which that text names: it is known by its first letter alone. */
function withoutRepeats(form: AnswerForm): AnswerForm {
  if (form.kind !== 'mcq' || !form.optionTexts) return form;
  const { letters, optionTexts } = form;
  const { of } = answerClasses('strict', letters.slice(0, optionTexts.length), optionTexts);
  return { ...form, optionTexts: optionTexts.map((text, i) => (of(letters[i]!) === letters[i] ? text : '')) };
}

function check(protocol: unknown, text: unknown, form: unknown, options: unknown): void {
  oneOf('protocol', protocol, protocols);
  string('text', text);
  const { kind, letters, optionTexts, maybe } = object('form', form);
  if (oneOf('form.kind', kind, ['mcq', 'boolean']) === 'mcq') {
    checkLetters(letters);
    if (optionTexts !== undefined) strings('form.optionTexts', optionTexts);
  } else if (maybe !== undefined) boolean('form.maybe', maybe);
  const { stops, blankLineEnds, begunThinking, rules, shots, cot } = object('options', options);
  const keys = ['stops', 'blankLineEnds', 'begunThinking', 'rules', 'shots', 'cot'];
  checkKeys('the options of extract', options as object, keys);
  if (stops !== undefined) strings('stops', stops);
  if (blankLineEnds !== undefined) boolean('blankLineEnds', blankLineEnds);
  if (begunThinking !== undefined) boolean('begunThinking', begunThinking);
  if (rules !== undefined) integer('rules', rules, 1, 2);
  if (shots !== undefined) boolean('shots', shots);
  if (cot !== undefined) boolean('cot', cot);
}

function checkLetters(value: unknown): void {
  const good =
    Array.isArray(value) &&
    value.every(letter => typeof letter === 'string' && /^[A-Z]$/.test(letter)) &&
    new Set(value).size === value.length &&
    value.length >= 2;
  if (!good) {
    throw optionError(
      'form.letters',
      '2 to 26 different letters from A to Z',
      Array.isArray(value) ? value.join(' ') : value,
    );
  }
}

function strings(option: string, value: unknown): void {
  for (const one of array(option, value, 0, 1000)) string(option, one);
}
