import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { availableCores } from '../src/engine/capacity/cores.js';
import { loadAddon } from '../src/native/load.js';

/** What a figure was measured on: written into every result. */
export async function machine() {
  const { addon, cpuVariant } = await loadAddon();
  return {
    date: new Date().toISOString(),
    commit: execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim(),
    changed: execFileSync('git', ['status', '--porcelain', '--', 'src', 'native'], { encoding: 'utf8' }).trim() !== '',
    processor: cpus()[0]?.model ?? 'unknown',
    cores: availableCores(),
    memoryGB: Math.round(totalmem() / 1e9),
    kernel: execFileSync('uname', ['-sr'], { encoding: 'utf8' }).trim(),
    node: process.version,
    llama: addon.build.headers,
    build: addon.build.kind,
    cpuVariant,
    loadBefore: Number(readFileSync('/proc/loadavg', 'utf8').split(' ')[0]),
  };
}

/** llama.cpp's CPU variant that a process has loaded, as `zen4`; null where its kernels are inside the program. */
export function cpuVariantOf(pid: number | 'self' = 'self'): string | null {
  return /libggml-cpu-(\w+)\.so/.exec(readFileSync(`/proc/${pid}/maps`, 'utf8'))?.[1] ?? null;
}

/** Peak resident memory of this process in bytes, and what of its present memory is its own and what is mapped from files. */
export function memory(): { peakRss: number; rssAnonymous: number; rssFile: number } {
  const status = readFileSync('/proc/self/status', 'utf8');
  const field = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? 0) * 1024;
  return { peakRss: field('VmHWM'), rssAnonymous: field('RssAnon'), rssFile: field('RssFile') };
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

export const spread = (values: readonly number[]): Spread => ({
  median: median(values),
  min: Math.min(...values),
  max: Math.max(...values),
});
