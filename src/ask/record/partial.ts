import type { Question } from '../../prompt/question/question.js';

export const partialSchema = 'meditron.partial.v1';

/** What a watcher had heard of a vote that was lost with the program: to be read. It lacks what a replay compares, so that {@link replay} refuses it. */
export interface PartialRecord {
  readonly schema: typeof partialSchema;
  /** Version of this package that answered; null: not known. */
  readonly meditron: string | null;
  /** When it was lost: ISO 8601, UTC. */
  readonly created: string;
  /** What the model is called, and the SHA-256 of its file, where they are known. */
  readonly model: { readonly name: string | null; readonly sha256: string | null };
  readonly question: Question;
  /** The options that were given; null: not known any more. */
  readonly asked: Readonly<Record<string, unknown>> | null;
  /** Samples of the whole vote. */
  readonly planned: number;
  /** Those of which something was heard, by index. */
  readonly samples: readonly PartialSample[];
  /** Why it is a part. */
  readonly failure: { readonly code: string; readonly message: string };
}

export interface PartialSample {
  /** Its number, from 0. */
  readonly index: number;
  /** False: it had not finished, and has no answer. */
  readonly finished: boolean;
  /** Null: none. */
  readonly answer: string | null;
  /** Whether it gave the answer only when it was asked again. */
  readonly forced: boolean;
  /** What it had written. */
  readonly text: string;
}
