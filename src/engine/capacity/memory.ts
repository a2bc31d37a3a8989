import { readFileSync } from 'node:fs';
import { freemem, totalmem } from 'node:os';
import { inBytes } from '../../check/words.js';
import { memoryLimit, type Read } from './cgroup.js';

/** Memory that can still be allocated without swapping, as far as the system and its control groups tell. */
export interface AvailableMemory {
  readonly bytes: number;
  /** The control group whose limit is nearer than the machine's memory, in words. */
  readonly limitedBy: string | undefined;
}

/** Bytes that can still be allocated without swapping. */
export function availableMemory(): number {
  return readMemory(readFile).bytes;
}

/**
 * Of a model's mapped weights that are to stay in memory, the bytes that the system counts as available nevertheless: all of them, but on Windows
 * only those that no process has used yet (`ullAvailPhys` of Microsoft's MEMORYSTATUSEX: standby pages are available, pages of a process are not).
 */
export function countedAvailable(keptBytes: number, usedBytes: number, platform = process.platform): number {
  return platform === 'win32' ? Math.max(0, keptBytes - usedBytes) : keptBytes;
}

/**
 * Bytes that are available beside a model's mapped weights that are to stay in memory. A process has used at most `usedBytes` of the weights; by
 * default none, as before the first step.
 */
export function availableBeside({ keptBytes }: { readonly keptBytes: number }, usedBytes = 0): number {
  return Math.max(0, availableMemory() - countedAvailable(keptBytes, usedBytes));
}

/** The amount in words, as `3.2 GB are available (of 4 GB that the control group /sys/fs/cgroup allows)`. */
export function memoryInWords(beside?: { readonly keptBytes: number }, usedBytes = 0): string {
  const { bytes, limitedBy } = readMemory(readFile);
  const kept = countedAvailable(beside?.keptBytes ?? 0, usedBytes);
  const weights = kept > 0 ? ` beside the weights' ${inBytes(kept)}` : '';
  return `${inBytes(Math.max(0, bytes - kept))} are available${weights}${limitedBy === undefined ? '' : ` (${limitedBy})`}`;
}

/** The same from given files, for systems that are not this one. */
export function readMemory(read: Read, machine = systemMemory(read)): AvailableMemory {
  const group = memoryLimit(read);
  if (!group || group.available >= machine) return { bytes: machine, limitedBy: undefined };
  return {
    bytes: group.available,
    limitedBy: `of ${inBytes(group.limit)} that the control group ${group.group} allows`,
  };
}

function systemMemory(read: Read): number {
  const available = /^MemAvailable:\s+(\d+) kB/m.exec(read('/proc/meminfo') ?? '')?.[1];
  if (available) return Number(available) * 1024;
  // macOS counts as free only what it has no use for; three quarters of what there is can be had.
  return process.platform === 'darwin' ? totalmem() * 0.75 : freemem();
}

export function readFile(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
