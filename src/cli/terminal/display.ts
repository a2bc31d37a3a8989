import { labelledLines } from './lines.js';
import { liveBlocks } from './live.js';
import { print, printText } from './output.js';
import type { Streams } from './streams.js';
import { hasEscapes } from './terminal.js';

/**
 * The display for a number of samples on stdout. One sample: its text, untouched if stdout is not a terminal. Several: a live
 * view on a terminal, else lines that say whose they are.
 */
export function displayFor(samples: number): Streams {
  if (samples === 1) return oneStream();
  return hasEscapes(process.stdout) ? liveBlocks(samples) : labelledLines(print);
}

function oneStream(): Streams {
  let last = '\n';
  return {
    text(_, text) {
      printText(text);
      last = text.at(-1) ?? last;
    },
    end() {},
    close() {
      if (process.stdout.isTTY && last !== '\n') print('\n');
    },
  };
}
