import { basename } from 'node:path';
import { type Context, Hono } from 'hono';
import * as v from 'valibot';
import { contradicted, type Replay, replayWith } from '../../ask/record/replay.js';
import { readEvidence } from '../../ask/record/schema.js';
import type { AskEvent, Evidence } from '../../ask/types.js';
import type { PanelReplay } from '../../panel/record/replay.js';
import { isPanel, readPanel } from '../../panel/record/schema.js';
import type { PanelEvent } from '../../panel/types.js';
import type { RouteParts } from '../app.js';
import { RequestError } from '../error.js';
import type { Pool, ServedModel, Use } from '../pool/pool.js';
import { preferenceOf } from '../prefer.js';
import { bodyOf } from './body.js';
import { type Catalogue, whereabouts } from './catalogue.js';
import { withKey } from './models.js';
import { checkOfPanel, replayOfPanel } from './panel-record.js';
import type { PanelCheck, RecordCheck } from './protocol.js';
import { told } from './told.js';

export const replayRequest = v.strictObject({ record: v.unknown(), model: v.optional(v.string()) });
export const recordRequest = v.strictObject({ record: v.unknown() });

export interface ReplayParts extends Pick<RouteParts, 'pool' | 'pageOnly'> {
  readonly catalogue: Catalogue;
}

/** Checks records, those of panels too, and runs them again. */
export function replayRoutes({ pool, pageOnly, catalogue }: ReplayParts): Hono {
  return new Hono()
    .post('/v1/meditron/replay', async c => {
      const { record, model } = await bodyOf(c, replayRequest);
      if (isPanel(record)) {
        const panel = readPanel(record);
        if (model !== undefined) throw new RequestError(400, ofPanel, 'model', {}, 'ERR_OPTION');
        const run = () =>
          told<PanelEvent, PanelReplay>(
            c,
            (tell, signal) => replayOfPanel(pool, panel, preferenceOf(c), { onEvent: tell, signal }),
            replay => ({ type: 'replayed', replay }),
          );
        return withFiles(
          c,
          panel.members.map(({ evidence }) => evidence),
          run,
        );
      }
      const evidence = readEvidence(record);
      const name = model === undefined ? (modelOf(pool, evidence) ?? pool.find(undefined)).name : pool.find(model).name;
      const run = () =>
        told<AskEvent, Replay>(
          c,
          (tell, signal) =>
            replayOf(() => pool.use(name, signal, preferenceOf(c)), evidence, { onEvent: tell, signal }),
          replay => ({ type: 'replayed', replay }),
        );
      return withFiles(c, [evidence], run);
    })
    .post('/v1/meditron/records', async c => {
      const { record } = await bodyOf(c, recordRequest);
      if (isPanel(record)) return c.json<PanelCheck>(await checkOfPanel(pool, catalogue, readPanel(record)));
      const evidence = readEvidence(record);
      const contradiction = contradicted(evidence) ?? null;
      const found = await whereabouts(catalogue, modelOf(pool, evidence), evidence.model.sha256);
      return c.json<RecordCheck>({ evidence, contradiction, ...found });
    });

  /** Adapters are files that a record names: with those it is for the page alone. */
  function withFiles(c: Context, records: readonly (Evidence | null)[], run: () => Promise<Response>) {
    return records.some(record => record?.engine?.loras.length) ? withKey(c, pageOnly, run) : run();
  }
}

const ofPanel =
  'Expected no `model`: the record is that of a panel, whose models are found by the names of their files';

/** On an engine of its own, laid out as the record says. */
async function replayOf(
  open: () => Promise<Use>,
  evidence: Evidence,
  watching: { readonly onEvent: (event: AskEvent) => void; readonly signal: AbortSignal },
): Promise<Replay> {
  const refused = contradicted(evidence);
  if (refused) return refused;
  await using use = await open();
  return await replayWith(use.model, evidence, watching);
}

/** The model whose file is called as the record's was. */
function modelOf(pool: Pool, { model }: Evidence): ServedModel | undefined {
  return pool.models.find(({ path }) => basename(path) === model.file);
}
