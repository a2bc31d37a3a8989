import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';

/** Whether processes can be looked at. */
export const hasProc = existsSync('/proc/self/stat');

/** The processes that a process has started and that still run. */
export function childrenOf(parent: number): number[] {
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .map(Number)
    .filter(pid => factsOf(pid)?.parent === parent);
}

/** As ps has it: R, S, T …; undefined once it has ended, waited for or not. */
export function stateOf(pid: number): string | undefined {
  return factsOf(pid)?.state;
}

function factsOf(pid: number): { readonly state: string; readonly parent: number } | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return state === 'Z' ? undefined : { state: state!, parent: Number(parent) };
  } catch {
    return undefined; // it ended meanwhile
  }
}

/** Waits until it is so; the test's own time limit ends it. */
export async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await pause(20);
}
