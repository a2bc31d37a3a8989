import { basename } from 'node:path';
import { Hono } from 'hono';
import * as v from 'valibot';
import { contradicted, type Replay, replayWith } from '../../ask/record/replay.js';
import { readEvidence } from '../../ask/record/schema.js';
import type { AskEvent, Evidence } from '../../ask/types.js';
import type { RouteParts } from '../app.js';
import type { Pool, ServedModel } from '../pool/pool.js';
import { bodyOf } from './body.js';
import { type Catalogue, hashOf } from './catalogue.js';
import { withKey } from './models.js';
import type { RecordCheck } from './protocol.js';
import { told } from './told.js';

export const replayRequest = v.strictObject({ record: v.unknown(), model: v.optional(v.string()) });
export const recordRequest = v.strictObject({ record: v.unknown() });

export interface ReplayParts extends Pick<RouteParts, 'pool' | 'pageOnly'> {
  readonly catalogue: Catalogue;
}

/** Checks records, and runs them again. */
export function replayRoutes({ pool, pageOnly, catalogue }: ReplayParts): Hono {
  return new Hono()
    .post('/v1/meditron/replay', async c => {
      const { record, model } = await bodyOf(c, replayRequest);
      const evidence = readEvidence(record);
      const name = model === undefined ? (modelOf(pool, evidence) ?? pool.find(undefined)).name : pool.find(model).name;
      const run = () =>
        told<AskEvent, Replay>(
          c,
          (tell, signal) => replayOf(pool, name, evidence, { onEvent: tell, signal }),
          replay => ({ type: 'replayed', replay }),
        );
      // Adapters are files that the record names.
      return evidence.engine?.loras.length ? withKey(c, pageOnly, run) : run();
    })
    .post('/v1/meditron/records', async c => {
      const { record } = await bodyOf(c, recordRequest);
      const evidence = readEvidence(record);
      const contradiction = contradicted(evidence) ?? null;
      const model = modelOf(pool, evidence);
      const sameFile = model ? await isSame(catalogue, model, evidence) : null;
      return c.json<RecordCheck>({ evidence, contradiction, model: model?.name ?? null, sameFile });
    });
}

/** On an engine of its own, laid out as the record says. */
async function replayOf(
  pool: Pool,
  name: string,
  evidence: Evidence,
  watching: { readonly onEvent: (event: AskEvent) => void; readonly signal: AbortSignal },
): Promise<Replay> {
  const refused = contradicted(evidence);
  if (refused) return refused;
  await using use = await pool.use(name, watching.signal);
  return await replayWith(use.model, evidence, watching);
}

/** The model whose file is called as the record's was. */
function modelOf(pool: Pool, { model }: Evidence): ServedModel | undefined {
  return pool.models.find(({ path }) => basename(path) === model.file);
}

async function isSame(catalogue: Catalogue, { path }: ServedModel, { model }: Evidence): Promise<boolean | null> {
  const { sha256 } = await hashOf(await catalogue.headerOf(path));
  return sha256 === null || model.sha256 === null ? null : sha256 === model.sha256;
}
