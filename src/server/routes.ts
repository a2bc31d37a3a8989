import type { RouteSet } from './app.js';
import { meditronRoutes } from './meditron/routes.js';

/** Every set of routes that needs models. */
export const routeSets: readonly RouteSet[] = [parts => meditronRoutes(parts)];
