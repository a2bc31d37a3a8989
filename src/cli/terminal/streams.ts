import type { Finish } from '../../types.js';
import { labelledLines } from './lines.js';
import { liveBlocks } from './live.js';
import { plain } from './plain.js';

/** Where the text of samples goes while it comes. */
export interface Streams {
  text(sample: number, text: string): void;
  end(sample: number, finish: Finish): void;
  /** Nothing more comes: show what is still held back. */
  close(): void;
}

/** Shows nothing; for `--json`. */
export const silent: Streams = { text() {}, end() {}, close() {} };

/**
 * The display for a number of samples on stdout. One sample: its text, untouched if stdout is not a terminal. Several: a live
 * view on a terminal, else lines that say whose they are.
 */
export function streamsFor(samples: number): Streams {
  if (samples === 1) return oneStream(process.stdout.isTTY);
  return process.stdout.isTTY ? liveBlocks(samples) : labelledLines(text => process.stdout.write(text));
}

function oneStream(isTerminal: boolean): Streams {
  let last = '\n';
  return {
    text(_, text) {
      process.stdout.write(isTerminal ? plain(text) : text);
      last = text.at(-1) ?? last;
    },
    end() {},
    close() {
      if (isTerminal && last !== '\n') process.stdout.write('\n');
    },
  };
}
