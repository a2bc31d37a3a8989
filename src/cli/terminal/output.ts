import { MeditronError } from '../../check/errors.js';
import { Interrupted } from './exit.js';

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

/** Prints one JSON value on a line of its own. */
export function printJson(value: unknown, indent = 0): void {
  process.stdout.write(`${JSON.stringify(value, null, indent)}\n`);
}

/** Settles when what was written has gone out, or has failed to and {@link outputLost} says so. */
export function outputWritten(): Promise<void> {
  return new Promise(resolve => {
    process.stdout.write('', () => setImmediate(resolve));
  });
}
