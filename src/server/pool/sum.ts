import type { EngineCounters } from '../../engine/settings.js';

/** What two engines have computed. */
export function added(a: Readonly<EngineCounters>, b: Readonly<EngineCounters>): EngineCounters {
  const names = Object.keys(a) as (keyof EngineCounters)[];
  return Object.fromEntries(names.map(name => [name, a[name] + b[name]])) as unknown as EngineCounters;
}
