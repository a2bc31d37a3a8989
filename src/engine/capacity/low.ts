import type { KvBytes } from '../../models/inspect.js';
import { cellsOf, type KvType } from './compute.js';

/** Tokens of one step where memory is short: 512 would take a tenth of a gigabyte. */
export const lowBatch = 64;
/** Bytes of cache at most: a 7B in Q4_K_M then stays below 5.6 GB with both processes; samples beyond run in waves. */
const lowCache = 1e9;
/** What the command's process, the engine's, and computing in steps of {@link lowBatch} take, in bytes. */
export const processBytes = 0.25e9;
/** Weights stay in memory if so many bytes are left beside them, for cache, computing and the rest of the machine. */
const besideWeights = 1e9;

/** How weights are in memory, as `ModelInfo` has it. */
export interface InMemory {
  readonly loadMode: 'read' | 'mmap';
  readonly keptBytes?: number | undefined;
}

/** Whether weights are in memory and stay there: read, or mapped with room for them. Else their pages come and go. */
export function staysInMemory({ loadMode, keptBytes = 0 }: InMemory): boolean {
  return loadMode === 'read' || keptBytes > 0;
}

/** Whether weights of so many bytes stay in memory, where nobody says how they come there; else they are mapped, and come and go. */
export function weightsFit(hostBytes: number, available: number): boolean {
  return hostBytes + besideWeights <= available;
}

/** What little memory depends on. */
export interface LowModel {
  readonly sizeBytes: number;
  readonly headSize?: number | null | undefined;
  readonly kvBytesPerToken?: KvBytes | null | undefined;
}

/** Type of the cache where memory is short: q8_0 needs flash attention, and heads of a multiple of 32. */
export function lowKvType({ headSize }: LowModel, flashAttention?: 'auto' | 'on' | 'off'): KvType {
  return headSize && headSize % 32 === 0 && flashAttention !== 'off' ? 'q8_0' : 'f16';
}

/**
 * Cells of a context where memory is short: a gigabyte of cache at most, less where the mapped weights leave less. The layout of a
 * question follows from the engine's size, which a record keeps.
 */
export function lowCells(model: LowModel, available: number, kvType: KvType = lowKvType(model)): number {
  const cell = model.kvBytesPerToken?.[kvType] ?? 2 ** 19;
  const left = Math.min(lowCache, available - model.sizeBytes - processBytes);
  return Math.max(256, Math.floor(left / cell / 256) * 256);
}

/** Whether a context of `cells` for `sequences` would do if all was laid out for little memory, its samples one after the other. */
export function lowWouldDo(model: LowModel, cells: number, sequences: number, available: number): boolean {
  const cell = model.kvBytesPerToken?.[lowKvType(model)] ?? 2 ** 19;
  return model.sizeBytes + processBytes + cellsOf(cells / sequences) * cell <= available;
}
