import type { Addon } from './addon.js';

let counted = Infinity;

/** The physical cores that the system tells the addon of; Infinity before it is loaded, and where files tell. */
export function physicalCores(): number {
  return counted;
}

/** To be called with an addon that has been loaded. */
export function countCores(addon: Pick<Addon, 'physicalCores'>): void {
  counted = addon.physicalCores() || Infinity;
}
