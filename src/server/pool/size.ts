import type { KvType } from '../../engine/capacity/compute.js';
import { cellsInMemory, type Loaded } from '../../engine/capacity/context.js';
import type { Device } from '../../native/addon.js';

/** Cells for one sequence that most questions and conversations do with. */
const usual = 2048;
/** The longest single sequence that room is made for unasked: as an engine's default. */
const longest = 8192;
/** Beyond it a step computes in more memory than it is worth. */
const most = 65_536;

/**
 * Cells of the context that all requests on a model share: the usual length for every sequence, and at least one long one; of the memory that is
 * free after loading half at most, because other models may come.
 */
export function sharedCells(
  model: Loaded,
  sequences: number,
  kvType: KvType,
  hostFree: number,
  devices: readonly Device[],
): number {
  const trained = model.contextLength ?? usual;
  const wanted = Math.min(most, Math.max(Math.min(trained, longest), sequences * Math.min(trained, usual)));
  const room = Math.floor(cellsInMemory(model, kvType, hostFree, devices) / 256) * 256;
  return Math.max(Math.min(256, wanted), Math.min(wanted, room));
}
