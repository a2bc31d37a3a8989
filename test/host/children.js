import { readdirSync, readFileSync } from 'node:fs';

/**
 * The processes that a process has started and that have not ended, the newest last. Linux only.
 * @param {number} parent
 */
export function childrenOf(parent) {
  return readdirSync('/proc')
    .map(Number)
    .filter(pid => Number.isInteger(pid) && factsOf(pid)?.parent === parent)
    .sort((a, b) => factsOf(a)?.started - factsOf(b)?.started);
}

/**
 * Whether a process has ended. A zombie has: it waits for somebody to read how.
 * @param {number} pid
 */
export function gone(pid) {
  return factsOf(pid) === undefined;
}

/**
 * As ps has it: R, S, T …; undefined once it has ended, waited for or not.
 * @param {number} pid
 */
export const stateOf = pid => factsOf(pid)?.state;

/** @param {number} pid */
function factsOf(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (fields[0] === 'Z' || fields[0] === 'X') return undefined;
    return { state: fields[0], parent: Number(fields[1]), started: Number(fields[19]) };
  } catch {
    return undefined; // it ended while we looked
  }
}
