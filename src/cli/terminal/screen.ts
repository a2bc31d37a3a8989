import { Presets, SingleBar } from 'cli-progress';
import { createLogUpdate } from 'log-update';
import { oneLine, plainButStyled } from './plain.js';
import { hasEscapes } from './terminal.js';

/** A part of the terminal that is drawn anew whenever it changes. */
export interface Redrawn {
  draw(text: string): void;
  /** Takes it away for good. */
  clear(): void;
}

export function redrawn(stream: NodeJS.WriteStream): Redrawn {
  const log = createLogUpdate(stream, { showCursor: true });
  return {
    draw: text => log(plainButStyled(text)),
    clear() {
      log.clear();
      log.done();
    },
  };
}

/** A progress bar on stderr, which vanishes when it is stopped. */
export interface Bar {
  update(done: number, words?: Readonly<Record<string, string>>): void;
  stop(): void;
}

/** Whether bars can be shown at all. */
export function hasBars(): boolean {
  return hasEscapes(process.stderr);
}

/** `format` as cli-progress has it, with `{name}` for the `words`. */
export function bar(format: string, total: number, done: number, words: Readonly<Record<string, string>> = {}): Bar {
  const stream = process.stderr;
  const single = new SingleBar({ stream, format, hideCursor: true, clearOnComplete: true }, Presets.rect);
  const harmless = (given: typeof words) =>
    Object.fromEntries(Object.entries(given).map(([name, text]) => [name, oneLine(text)]));
  single.start(total, done, harmless(words));
  return {
    update: (done, words = {}) => single.update(done, harmless(words)),
    stop: () => single.stop(),
  };
}

/** Asks the terminal to mark what is pasted, until it is ended or the process is. */
export function bracketedPaste(): { end(): void } {
  if (!hasEscapes(process.stdout)) return { end() {} };
  const off = () => process.stdout.write('\x1b[?2004l');
  process.stdout.write('\x1b[?2004h');
  process.once('exit', off);
  return {
    end() {
      process.off('exit', off);
      off();
    },
  };
}
