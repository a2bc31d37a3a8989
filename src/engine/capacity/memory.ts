import { readFileSync } from 'node:fs';
import { freemem, totalmem } from 'node:os';
import type { KvBytes } from '../../models/inspect.js';

/** Types the KV cache can have; catalog/inspect.ts says what a token takes in each. */
export type KvType = keyof KvBytes;

/** Bytes that can still be allocated without swapping, as far as the system and the container tell. */
export function availableMemory(): number {
  return Math.min(systemMemory(), containerMemory());
}

function systemMemory(): number {
  const available = /^MemAvailable:\s+(\d+) kB/m.exec(read('/proc/meminfo') ?? '')?.[1];
  if (available) return Number(available) * 1024;
  // macOS counts as free only what it has no use for; three quarters of what there is can be had.
  return process.platform === 'darwin' ? totalmem() * 0.75 : freemem();
}

function containerMemory(): number {
  const limit = Number(read('/sys/fs/cgroup/memory.max') ?? read('/sys/fs/cgroup/memory/memory.limit_in_bytes') ?? NaN);
  const used = Number(
    read('/sys/fs/cgroup/memory.current') ?? read('/sys/fs/cgroup/memory/memory.usage_in_bytes') ?? NaN,
  );
  return Number.isFinite(limit) && Number.isFinite(used) && limit < totalmem() ? Math.max(0, limit - used) : Infinity;
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return undefined;
  }
}
