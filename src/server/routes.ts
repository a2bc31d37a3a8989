import type { RouteSet } from './app.js';
import { meditronRoutes } from './meditron/routes.js';
import { openaiRoutes } from './openai/routes.js';
import { openapiRoutes } from './openapi.js';

/** Every set of routes beside the server's own. */
export const routeSets: readonly RouteSet[] = [
  () => openapiRoutes(),
  parts => openaiRoutes(parts),
  parts => meditronRoutes(parts),
];
