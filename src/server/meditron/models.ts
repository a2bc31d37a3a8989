import { basename } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type Context, Hono, type MiddlewareHandler } from 'hono';
import * as v from 'valibot';
import { MeditronError } from '../../check/errors.js';
import { hashProgress, type ModelFiles, modelHash } from '../../models/identity.js';
import { type Inspection, inspectFile } from '../../models/inspect.js';
import type { RouteParts } from '../app.js';
import { RequestError } from '../error.js';
import { bodyOf } from './body.js';
import { type Catalogue, hashOf } from './catalogue.js';
import { measureSpeed } from './measure.js';
import type { HashStreamEvent, MeasureStreamEvent } from './protocol.js';
import { told } from './told.js';

export const addModelRequest = v.strictObject({ path: v.string() });

export const inspectRequest = v.strictObject({
  model: v.optional(v.string()),
  path: v.optional(v.string()),
  hash: v.optional(v.boolean(), false),
});

export interface ModelsParts extends Pick<RouteParts, 'pool' | 'pageOnly' | 'isPage'> {
  readonly catalogue: Catalogue;
}

/** Lists models, adds one from disk, describes, hashes and measures them. */
export function modelsRoutes({ pool, pageOnly, isPage, catalogue }: ModelsParts): Hono {
  return new Hono()
    .get('/v1/meditron/models', async c => c.json(await catalogue.list(isPage(c))))
    .post('/v1/meditron/models', pageOnly, async c => {
      const { path } = await bodyOf(c, addModelRequest);
      const [problem] = (await inspected(path)).problems;
      if (problem) throw unusable(new MeditronError(problem.code, problem.message));
      return c.json(await catalogue.describe(await pool.add(path), true), 201);
    })
    .post('/v1/meditron/models/:name/unload', pageOnly, async c => {
      const { name } = pool.find(c.req.param('name'));
      await pool.unload(name);
      return c.json(await catalogue.describe(pool.find(name), true));
    })
    .post('/v1/meditron/models/:name/measure', c => {
      const { name, path } = pool.find(c.req.param('name'));
      return told<MeasureStreamEvent, unknown>(
        c,
        async (tell, signal) => {
          const speed = await measureSpeed(pool, name, tell, signal);
          catalogue.speeds.set(path, speed);
          return speed;
        },
        speed => ({ type: 'measured', speed }),
      );
    })
    .post('/v1/meditron/models/:name/hash', c => {
      const { path } = pool.find(c.req.param('name'));
      return told<HashStreamEvent, unknown>(
        c,
        async (tell, signal) => {
          const header = await catalogue.headerOf(path);
          await hashTold(header, fraction => tell({ type: 'hashing', fraction }), signal);
          return hashOf(header);
        },
        hash => ({ type: 'hashed', hash }),
      );
    })
    .post('/v1/meditron/inspect', async c => {
      const { model, path, hash } = await bodyOf(c, inspectRequest);
      const { signal } = c.req.raw;
      if (path === undefined) {
        const served = pool.find(model);
        const found = await inspectFile(served.path, { hash, signal });
        return c.json(isPage(c) ? found : withoutFolders(found));
      }
      if (model !== undefined)
        throw new RequestError(400, 'Expected `model` or `path`, got both', 'path', {}, 'ERR_OPTION');
      return withKey(c, pageOnly, async () => c.json(await inspected(path, { hash, signal })));
    });
}

/** Does something that only the page may, where that depends on the body. */
export async function withKey(
  c: Context,
  pageOnly: MiddlewareHandler,
  work: () => Promise<Response>,
): Promise<Response> {
  let response: Response | undefined;
  await pageOnly(c, async () => {
    response = await work();
  });
  return response!;
}

/** A file that the request names, so that it is the request that is wrong if it cannot be used. */
async function inspected(path: string, options: Parameters<typeof inspectFile>[1] = {}): Promise<Inspection> {
  try {
    return await inspectFile(path, options);
  } catch (error) {
    throw unusable(error);
  }
}

function unusable(error: unknown): unknown {
  return error instanceof MeditronError ? new RequestError(400, error.message, 'path', {}, error.code) : error;
}

/** Where a model lies is told to whoever has the page's key alone. */
function withoutFolders(found: Inspection): Inspection {
  const files = found.files.map(file => ({ ...file, path: basename(file.path) }));
  return { ...found, path: basename(found.path), files };
}

/** How often progress is told. */
const progressMs = 250;

async function hashTold(files: ModelFiles, tell: (fraction: number) => void, signal: AbortSignal): Promise<void> {
  const done = new AbortController();
  const hashes = modelHash(files, signal).finally(() => done.abort());
  hashes.catch(() => {}); // thrown below
  while (!done.signal.aborted) {
    tell(hashProgress(files).fraction);
    await delay(progressMs, undefined, { signal: done.signal }).catch(() => {});
  }
  await hashes;
}
