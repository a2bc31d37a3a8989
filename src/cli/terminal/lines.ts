import type { Finish } from '../../types.js';
import { plain } from './plain.js';
import type { Streams } from './streams.js';

/** Columns after which a line is ended at the last space. */
const width = 100;

/** Several samples as lines `[2] text`, written as soon as a line of a sample is whole; no word is ever split. */
export function labelledLines(write: (text: string) => void): Streams {
  const pending = new Map<number, string>();
  const show = (sample: number, line: string) => write(`[${sample + 1}] ${plain(line).trimEnd()}\n`);
  const flush = (sample: number) => {
    const rest = pending.get(sample) ?? '';
    pending.delete(sample);
    if (rest !== '') show(sample, rest);
  };
  return {
    text(sample, text) {
      let rest = (pending.get(sample) ?? '') + text;
      for (let cut = lineEnd(rest); cut; cut = lineEnd(rest)) {
        show(sample, rest.slice(0, cut.at));
        rest = rest.slice(cut.next);
      }
      pending.set(sample, rest);
    },
    end(sample: number, finish: Finish) {
      flush(sample);
      if (finish === 'cancelled') write(`[${sample + 1}] (interrupted)\n`);
    },
    close() {
      for (const sample of [...pending.keys()]) flush(sample);
    },
  };
}

/** Where the first line of a text ends and the next begins, or undefined if it may still grow. */
function lineEnd(text: string): { at: number; next: number } | undefined {
  const newline = text.indexOf('\n');
  if (newline >= 0 && newline <= width) return { at: newline, next: newline + 1 };
  if (text.length <= width) return undefined;
  // The last space that fits; for a longer word the first one behind it.
  const space = text.lastIndexOf(' ', width);
  if (space > 0) return { at: space, next: space + 1 };
  const later = text.slice(width).search(/[ \n]/);
  return later < 0 ? undefined : { at: width + later, next: width + later + 1 };
}
