import { existsSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';

export { childrenOf, stateOf } from '../host/children.js';

/** Whether processes can be looked at. */
export const hasProc = existsSync('/proc/self/stat');

/** Waits until it is so; the test's own time limit ends it. */
export async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await pause(20);
}
