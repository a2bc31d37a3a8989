import { basename } from 'node:path';
import { MeditronError } from '../../check/errors.js';
import { contradictedPanel, type PanelModels, type PanelReplay, replayPanelOn } from '../../panel/record/replay.js';
import type { PanelEvent, PanelRecord } from '../../panel/types.js';
import type { Pool, ServedModel, UseOptions } from '../pool/pool.js';
import { type Catalogue, whereabouts } from './catalogue.js';
import type { PanelCheck } from './protocol.js';

/** Whether the record of a panel contradicts itself, and where its models are here. Nothing is run. */
export async function checkOfPanel(pool: Pool, catalogue: Catalogue, panel: PanelRecord): Promise<PanelCheck> {
  const models = modelsOf(pool, panel);
  const members = await Promise.all(
    panel.members.map(({ evidence }, i) => whereabouts(catalogue, models[i], evidence?.model.sha256 ?? null)),
  );
  return { panel, contradiction: contradictedPanel(panel) ?? null, members };
}

/**
 * Runs the record of a panel again, one of its models after the other.
 *
 * @throws MeditronError `ERR_UNKNOWN_MODEL` with the files of the record that no model of the server has
 */
export async function replayOfPanel(
  pool: Pool,
  panel: PanelRecord,
  preference: UseOptions,
  watching: { readonly onEvent: (event: PanelEvent) => void; readonly signal: AbortSignal },
): Promise<PanelReplay> {
  const refused = contradictedPanel(panel);
  if (refused) return refused;
  const found = modelsOf(pool, panel);
  const missing = panel.members.filter(({ evidence }, i) => evidence && !found[i]).map(({ file }) => file);
  if (missing.length > 0)
    throw new MeditronError(
      'ERR_UNKNOWN_MODEL',
      `Expected every model of the record to be served, got none of the file ${missing.join(', ')}: add it and try again`,
    );
  const models: PanelModels = {
    paths: found.map(model => model?.path ?? ''),
    async use(i, _, work) {
      await using use = await pool.use(found[i]!.name, watching.signal, preference);
      return await work(use.model);
    },
  };
  return replayPanelOn(panel, models, watching);
}

/** By the names of their files; of models whose files are called alike each has its own. */
function modelsOf(pool: Pool, { members }: PanelRecord): readonly (ServedModel | undefined)[] {
  const left = [...pool.models];
  return members.map(({ file }) => {
    const place = left.findIndex(({ path }) => basename(path) === file);
    return place < 0 ? undefined : left.splice(place, 1)[0];
  });
}
