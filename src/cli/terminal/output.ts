import { MeditronError } from '../../check/errors.js';
import { Interrupted } from './interrupted.js';
import { plain, plainButStyled, plainJson } from './plain.js';
import { hasEscapes } from './terminal.js';

// Everything the command writes goes through this file, or through screen.ts where it is redrawn: nothing that came from a model,
// a file, a server or the command line reaches a terminal with control characters in it.

const lost = new AbortController();

/** Aborts when stdout can no longer be written: quietly if its reader has gone (`| head`), else with `ERR_OUTPUT`. */
export const outputLost: AbortSignal = lost.signal;

/** To be called once, before anything is written. */
export function watchOutput(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    const gone = error.code === 'EPIPE' || error.code === 'ERR_STREAM_DESTROYED';
    const reason = gone
      ? new Interrupted('The reader of the output has gone', 0)
      : new MeditronError('ERR_OUTPUT', `Standard output could not be written: ${error.message}`, { cause: error });
    lost.abort(reason);
  });
  process.stderr.on('error', () => {}); // nobody left to tell
}

let pieces = 0;

/** How many pieces of text have been printed so far. */
export function piecesPrinted(): number {
  return pieces;
}

/** Prints to stdout what a person reads; on a terminal it may be styled. */
export function print(text: string): void {
  pieces++;
  process.stdout.write(hasEscapes(process.stdout) ? plainButStyled(text) : plain(text));
}

/** Prints the text of a model as it comes: untouched for a program, which may want every byte, and plain on a terminal. */
export function printText(text: string): void {
  pieces++;
  process.stdout.write(process.stdout.isTTY ? plain(text) : text);
}

/** Prints one JSON value on a line of its own. */
export function printJson(value: unknown, indent = 0): void {
  process.stdout.write(`${plainJson(value, indent)}\n`);
}

/** Tells the person something on stderr, in a line that is not part of the output. Further lines of it are indented. */
export function say(text: string): void {
  process.stderr.write(`${plain(text).replaceAll('\n', '\n  ')}\n`);
}

/** Writes one JSON value to stderr. */
export function sayJson(value: unknown): void {
  process.stderr.write(`${plainJson(value)}\n`);
}

/** Settles when what was written has gone out, or has failed to and {@link outputLost} says so. */
export function outputWritten(): Promise<void> {
  return new Promise(resolve => {
    process.stdout.write('', () => setImmediate(resolve));
  });
}
