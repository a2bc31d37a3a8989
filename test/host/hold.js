import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';

/**
 * Variables under which a process of an engine can be held: it stands still when it has told something, so that what is done to it then is
 * done in the middle of that, however busy the machine is. A process that stands still is given up after half a minute.
 * @param {string} file
 */
export const holdable = (file, { NODE_OPTIONS = '' } = process.env) => ({
  MEDITRON_TEST_HOLD: file,
  NODE_OPTIONS: `${NODE_OPTIONS} --import ${new URL('holding.mjs', import.meta.url).href}`,
});

/**
 * The next process that tells this is held: `load` for its first progress, `tokenize`, `queued` and `prompt` before they begin, `text`, or the
 * `end` of a sample.
 * @param {string} file
 * @param {'load' | 'tokenize' | 'queued' | 'prompt' | 'text' | 'end'} what
 */
export function holdAt(file, what) {
  writeFileSync(file, what);
}

/**
 * Resolves with the number of the process when it is held; processes after it are not. Numbers of processes begin again at some point: the
 * greatest is not the youngest.
 * @param {string} file
 */
export async function held(file) {
  for (;;) {
    const [, pid] = /^held (\d+)\n$/.exec(readFileSync(file, 'utf8')) ?? [];
    if (pid !== undefined) {
      rmSync(file);
      return Number(pid);
    }
    await pause(2);
  }
}
