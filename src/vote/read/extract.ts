import { extractAuthors } from './authors.js';
import { extractStrict } from './strict.js';

/** What kind of answer a question has. Options are given in their displayed order; texts belong to letters by position. */
export type AnswerForm =
  | { readonly kind: 'mcq'; readonly letters: readonly string[]; readonly optionTexts?: readonly string[] }
  | { readonly kind: 'boolean'; readonly maybe?: boolean };

/**
 * Where an answer was found: straight after a cue (`cue`), as the only bracketed letter or as the text of an option on the
 * cue's line (`cue-bracket`, `cue-text`), on a line of its own (`line`), as the first word (`first-word`), by the authors'
 * script (`authors`), or nowhere.
 */
export type ExtractRule = 'cue' | 'cue-bracket' | 'cue-text' | 'line' | 'first-word' | 'authors' | 'none';

export interface Extraction {
  /** An upper-case option letter, or `yes`, `no`, `maybe`. Undefined if the text gives no answer. */
  readonly answer: string | undefined;
  /** What is counted: the answer; with `authors-code` the whole lower-cased text where no answer was found. */
  readonly vote: string | undefined;
  /** True if the text gave two different answers and the last was taken. */
  readonly conflict: boolean;
  readonly rule: ExtractRule;
}

/** `strict` is ours, `paper` reads as strict does (the paper does not say how it read), `authors-code` is `evaluate.py`. */
export type Protocol = 'strict' | 'paper' | 'authors-code';

export const protocols: readonly Protocol[] = ['strict', 'paper', 'authors-code'];

export interface ExtractOptions {
  /** Strings that end the text, in addition to the end tokens of the models. Default `['###']`; `strict`, `paper` only. */
  readonly stops?: readonly string[];
  /** True if the text was generated after demonstrations (`authors-code` only). Default false. */
  readonly shots?: boolean;
  /** True if the text is a chain of thought (`authors-code` only). Default true. */
  readonly cot?: boolean;
}

/** Reads the answer of one generated text, which must not include the prompt, as a protocol reads it. */
export function extract(protocol: Protocol, text: string, form: AnswerForm, options: ExtractOptions = {}): Extraction {
  if (protocol === 'authors-code') {
    return extractAuthors(text, { kind: form.kind, shots: options.shots ?? false, cot: options.cot ?? true });
  }
  return extractStrict(text, form, options.stops);
}
