import type { RouteSet } from './app.js';

/** Every set of routes that needs models. */
export const routeSets: readonly RouteSet[] = [];
