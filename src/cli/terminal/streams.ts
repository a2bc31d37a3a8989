import type { Finish } from '../../types.js';

/** Where the text of samples goes while it comes. */
export interface Streams {
  text(sample: number, text: string): void;
  end(sample: number, finish: Finish): void;
  /** Nothing more comes: show what is still held back. */
  close(): void;
}

/** Shows nothing; for `--json`. */
export const silent: Streams = { text() {}, end() {}, close() {} };
