import { availableParallelism } from 'node:os';
import { physicalCores } from '../../native/cores.js';
import { cpuQuota, type Read } from './cgroup.js';
import { readFile } from './memory.js';

let known: number | undefined;

/**
 * Cores this process may really use: the smallest of its affinity mask, the processor quota of its control groups and the
 * machine's physical cores. llama.cpp's threads wait for each other by spinning, so one thread too many makes it
 * slower by orders of magnitude, not by a fraction. Read once; on Windows physical cores are known once the addon is loaded.
 */
export function availableCores(): number {
  known ??= readCores(readFile, availableParallelism());
  return Math.min(known, physicalCores());
}

/** The same from given files and the size of the affinity mask. Node 20's `availableParallelism` does not see quotas. */
export function readCores(read: Read, affinity: number): number {
  return Math.max(1, Math.min(affinity, Math.floor(cpuQuota(read)), listedCores(read('/proc/cpuinfo') ?? '')));
}

/** Two hardware threads of one core share the unit that multiplies matrices. */
function listedCores(cpuinfo: string): number {
  const seen = new Set<string>();
  for (const block of cpuinfo.split('\n\n')) {
    const core = /^core id\s*:\s*(\d+)/m.exec(block)?.[1];
    const socket = /^physical id\s*:\s*(\d+)/m.exec(block)?.[1];
    if (core !== undefined && socket !== undefined) seen.add(`${socket}:${core}`);
  }
  return seen.size || Infinity;
}
