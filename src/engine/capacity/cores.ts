import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';

/**
 * Cores this process may really use: the smallest of its affinity mask, its container's processor quota and the
 * machine's physical cores. llama.cpp's threads wait for each other by spinning, so one thread too many makes it
 * slower by orders of magnitude, not by a fraction.
 */
export function availableCores(): number {
  return Math.max(1, Math.min(availableParallelism(), quota(), physicalCores()));
}

/** The container's quota in whole cores, rounded down. Node 20's `availableParallelism` does not see it. */
function quota(): number {
  const v2 = read('/sys/fs/cgroup/cpu.max')?.split(/\s+/);
  if (v2 && v2[0] !== 'max') return cores(Number(v2[0]), Number(v2[1]));
  const v1 = Number(read('/sys/fs/cgroup/cpu/cpu.cfs_quota_us') ?? -1);
  if (v1 > 0) return cores(v1, Number(read('/sys/fs/cgroup/cpu/cpu.cfs_period_us') ?? 100_000));
  return Infinity;
}

function cores(quotaUs: number, periodUs: number): number {
  const whole = Math.floor(quotaUs / periodUs);
  return Number.isFinite(whole) ? Math.max(1, whole) : Infinity;
}

/** Two hardware threads of one core share the unit that multiplies matrices. */
function physicalCores(): number {
  const text = read('/proc/cpuinfo');
  if (!text) return Infinity;
  const seen = new Set<string>();
  for (const block of text.split('\n\n')) {
    const core = /^core id\s*:\s*(\d+)/m.exec(block)?.[1];
    const socket = /^physical id\s*:\s*(\d+)/m.exec(block)?.[1];
    if (core !== undefined && socket !== undefined) seen.add(`${socket}:${core}`);
  }
  return seen.size || Infinity;
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return undefined;
  }
}
