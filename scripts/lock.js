// Lock files: processes of one machine do something in a folder one after the other.
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Takes a lock, and waits while another process has it. A lock whose process has ended is taken over.
 *
 * @param {string} lock the file; its folder is made
 * @param {() => void} [waiting] called once if there is something to wait for
 * @returns {() => void} gives the lock back
 * @throws Error if the file cannot be written
 */
export function take(lock, waiting = () => {}) {
  mkdirSync(dirname(lock), { recursive: true });
  let told = false;
  while (!make(lock)) {
    if (isLeft(lock)) clear(lock);
    else {
      if (!told) waiting();
      told = true;
      pause(100);
    }
  }
  return () => rmSync(lock, { force: true });
}

/**
 * Does something while no other process does that holds the same lock.
 *
 * @template T
 * @param {string} lock
 * @param {() => T} work
 */
export function alone(lock, work) {
  const release = take(lock);
  try {
    return work();
  } finally {
    release();
  }
}

/** Whether the file was not there and is now. @param {string} lock */
function make(lock) {
  try {
    writeFileSync(lock, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'EEXIST') throw error;
    return false;
  }
}

/** Whether a lock was left behind by a process that has ended. @param {string} lock */
function isLeft(lock) {
  const found = statSync(lock, { throwIfNoEntry: false });
  if (!found) return false;
  if (Date.now() - found.mtimeMs > 3_600_000) return true; // of another machine, perhaps
  const pid = contents(lock);
  if (pid === process.pid) return true; // of one that had this number before, as happens in containers
  if (!pid) return false; // it is being written, or has just been given back
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return /** @type {NodeJS.ErrnoException} */ (error).code === 'ESRCH';
  }
}

/** @param {string} lock */
function contents(lock) {
  try {
    return Number(readFileSync(lock, 'utf8'));
  } catch {
    return 0;
  }
}

/** Removes a lock that was left. Under a lock of its own: two may see it, and the second must not remove what the first then makes. */
function clear(/** @type {string} */ lock) {
  const clearing = `${lock}.clearing`;
  if (!make(clearing)) {
    const since = statSync(clearing, { throwIfNoEntry: false })?.mtimeMs ?? Number.POSITIVE_INFINITY;
    if (Date.now() - since > 10_000) rmSync(clearing, { force: true }); // it is held for two calls
    return pause(10);
  }
  try {
    if (isLeft(lock)) rmSync(lock, { force: true });
  } finally {
    rmSync(clearing, { force: true });
  }
}

/** @param {number} milliseconds */
function pause(milliseconds) {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}
