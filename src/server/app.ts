import { randomBytes } from 'node:crypto';
import { type Context, Hono, type MiddlewareHandler } from 'hono';
import { errorResponse, RequestError } from './error.js';
import { healthRoutes } from './health.js';
import { Metrics, metricsRoutes } from './metrics.js';
import type { Openings } from './open.js';
import { type AccessOptions, accessOptions } from './options.js';
import { pageRoutes } from './page.js';
import type { Pool } from './pool/pool.js';
import { jsonBody } from './safety/body.js';
import { safeHeaders } from './safety/headers.js';
import { carries, requireKey } from './safety/key.js';
import { ownOrigin } from './safety/origin.js';

/** What a set of routes is made of. Routes name their whole path, as `/v1/chat/completions`. */
export interface RouteParts {
  readonly pool: Pool;
  /** Before routes that read files by path or keep something: only the page has the key they ask for. */
  readonly pageOnly: MiddlewareHandler;
  /** Whether a request carries the page's key. */
  readonly isPage: (c: Context) => boolean;
  /** Has something done when the server closes, before models are unloaded. */
  readonly onClose: (close: () => Promise<void>) => void;
}

/** A set of routes, as `openai/` and `meditron/` have. */
export type RouteSet = (parts: RouteParts) => Hono;

export interface AppParts {
  readonly pool: Pool;
  readonly routes: readonly RouteSet[];
  /** Carried by the page, which need not know another key. Default: one that nobody knows. */
  readonly pageKey?: string | undefined;
  /** Default: no key, and bodies of 4 MB. */
  readonly access?: Pick<AccessOptions, 'key' | 'maxBody'> | undefined;
  /** Looks at a request before anything else does. */
  readonly guard?: MiddlewareHandler | undefined;
  readonly openings?: Openings | undefined;
  /** Where the page's files are. */
  readonly pageFolder?: string | undefined;
  readonly onClose?: RouteParts['onClose'] | undefined;
}

/** Request in, response out: no socket in it. A failure in a handler is thrown, and answered here in OpenAI's form. */
export function makeApp({
  pool,
  routes,
  pageKey = randomBytes(32).toString('base64url'),
  access = { key: undefined, maxBody: accessOptions.maxBody.default },
  guard,
  openings,
  pageFolder,
  onClose = () => {},
}: AppParts): Hono {
  const app = new Hono({ strict: false }); // an address may end with a slash
  const metrics = new Metrics();
  app.use(metrics.count, safeHeaders);
  if (guard) app.use(guard);
  app.use(ownOrigin);
  app.route('/', healthRoutes());
  app.route('/', pageRoutes(pageFolder));
  if (openings) app.route('/', openings.routes);
  if (access.key !== undefined) app.use(requireKey([access.key, pageKey], 'This server asks for a key'));
  app.use(jsonBody(access.maxBody));
  app.route('/', metricsRoutes(metrics, pool));
  const pageOnly = requireKey([pageKey], forThePage);
  for (const set of routes) app.route('/', set({ pool, pageOnly, isPage: carries([pageKey]), onClose }));
  app.notFound(c => errorResponse(nothingHere(app, c), c));
  app.onError(errorResponse);
  return app;
}

const forThePage =
  'This reads or keeps files of this machine, which the page alone may do, opened by the address that `meditron serve` prints';

/** What clients ask for that others have, and what is there instead. */
const elsewhere: readonly (readonly [RegExp, string])[] = [
  [/^\/v1\/responses(\/|$)/, 'conversations are answered at /v1/chat/completions, not in the form of responses'],
  [
    /^\/v1\/(embeddings|moderations|audio|images|files|batches|assistants|threads)(\/|$)/,
    'models here write text only',
  ],
  [
    /^\/v1\/messages(\/|$)|^\/api\/(chat|generate)$/,
    'conversations are answered at /v1/chat/completions, as OpenAI has it',
  ],
  [/^\/api\/tags$/, 'the models are listed at /v1/models, as OpenAI has it'],
  [/^\/(chat\/completions|completions?|models)(\/|$)|^\/v1\/v1\//, 'the base address for clients ends with /v1, once'],
];

/** Whether the address is wrong, or only the method. */
function nothingHere(app: Hono, c: Context): RequestError {
  const ofRoutes = app.routes.map(({ method }) => method).filter(method => method !== 'ALL'); // not those before routes
  const methods = [...new Set(ofRoutes)].filter(method =>
    app.router.match(method, c.req.path)[0].some(([[, route]]) => route.method === method),
  );
  if (methods.length === 0) {
    const meant = elsewhere.find(([address]) => address.test(c.req.path))?.[1];
    return new RequestError(404, `There is nothing at this address; ${meant ?? '/openapi.json lists what there is'}`);
  }
  const allow = methods.join(', ');
  return new RequestError(405, `This address takes ${allow} and no other method`, null, { Allow: allow });
}
