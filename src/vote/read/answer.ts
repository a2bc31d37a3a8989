/** What kind of answer a question has. Options are given in their displayed order; texts belong to letters by position. */
export type AnswerForm =
  | {
      /** One of several options, by its letter. */
      readonly kind: 'mcq';
      /** Different upper-case letters, 2 to 26, in the order in which options were shown. */
      readonly letters: readonly string[];
      /** The option of each letter: a text that says it in words is read too. Default: letters alone are read. */
      readonly optionTexts?: readonly string[];
    }
  | {
      /** Yes or no. */
      readonly kind: 'boolean';
      /** Whether `maybe` is an answer too. Default true. */
      readonly maybe?: boolean;
    };

/**
 * Which rules texts are read by under `strict` and `paper`. 2: with `\boxed{B}`, answer tags and answers under a heading, and without the parts in which a
 * model thinks. 1: as releases did that had none of this, for records of theirs.
 */
export type ReadingRules = 1 | 2;

/**
 * Where an answer was found: straight after a cue (`cue`), as the only bracketed letter or as the text of an option on the
 * cue's line (`cue-bracket`, `cue-text`), in a `\boxed{}` or between answer tags (`boxed`), on a line of its own (`line`), as the first word
 * (`first-word`), by the authors' script (`authors`), or nowhere.
 */
export type ExtractRule = 'boxed' | 'cue' | 'cue-bracket' | 'cue-text' | 'line' | 'first-word' | 'authors' | 'none';

/** The answer that was found in a text, and by which rule. */
export interface Extraction {
  /** An upper-case option letter, or `yes`, `no`, `maybe`. Undefined if the text gives no answer. */
  readonly answer: string | undefined;
  /** What is counted: the answer; with `authors-code` the whole lower-cased text where no answer was found. */
  readonly vote: string | undefined;
  /** True if the text gave two different answers and the last was taken. */
  readonly conflict: boolean;
  /** Where it was found. */
  readonly rule: ExtractRule;
}
