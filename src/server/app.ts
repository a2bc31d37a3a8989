import { Hono, type MiddlewareHandler } from 'hono';
import { errorResponse, RequestError } from './error.js';
import type { Pool } from './pool/pool.js';

/** What a set of routes is made of. Routes name their whole path, as `/v1/chat/completions`. */
export interface RouteParts {
  readonly pool: Pool;
  /** Before routes that read files by path or keep something: only the page has the key they ask for. */
  readonly pageOnly: MiddlewareHandler;
}

/** A set of routes, as `openai/` and `meditron/` have. */
export type RouteSet = (parts: RouteParts) => Hono;

export interface AppParts extends RouteParts {
  readonly routes: readonly RouteSet[];
}

/** Request in, response out: no socket in it. A failure in a handler is thrown, and answered here in OpenAI's form. */
export function makeApp({ routes, ...parts }: AppParts): Hono {
  const app = new Hono();
  for (const set of routes) app.route('/', set(parts));
  app.notFound(c => errorResponse(new RequestError(404, 'There is nothing at this address'), c));
  app.onError(errorResponse);
  return app;
}
