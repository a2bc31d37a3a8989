/** What a person should know of how a question was read: something taken off, renamed, or taken for what it may not be. */
export interface ReadingFinding {
  /** What was found. */
  readonly kind: ReadingKind;
  /** The line of the text it stands on, counted from 1; absent in records. */
  readonly line?: number;
  /** What was found, as it was written; empty where something was not found. */
  readonly text: string;
  /** The finding in words: one sentence, without what was found. */
  readonly message: string;
}

/** What may be found when a question is read from text. */
export type ReadingKind =
  | 'key' // names the right answer; never sent to the model
  | 'explanation' // says why an answer is right; never sent
  | 'footer' // page numbers, addresses, copyright; never sent
  | 'field' // a field of a record, or a line such as `Topic: ...`, that is no part of the question; never sent
  | 'heading' // `Question:`, `Options:`; never sent
  | 'number' // the number of the question; never sent
  | 'mark' // quotation marks, bullets, emphasis and such around the text; never sent
  | 'renamed' // options that have other marks in the text than the letters the model is shown
  | 'list' // a list in the question that was not taken for its options
  | 'no-options' // no options were found: an open question
  | 'image'; // something to look at, which no model here can see

/** Said of every question without options that was not asked for as one. */
export const noOptions = 'no options were found: read as an open question, to be answered in words';
