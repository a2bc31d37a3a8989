import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import { MeditronError } from '../../check/errors.js';
import { makeFolder, writeOutput } from '../../check/outputs.js';
import { checked } from '../../check/schema.js';
import { isSealed, sealed } from '../../check/seal.js';

const panelName = 'panel.json';

/** A model of a panel that is evaluated. */
export interface EvaluatedMember {
  /** What it is called, and its folder within the panel's. */
  readonly name: string;
  readonly family: string;
}

const schema = v.strictObject({
  kind: v.literal('meditron-panel-evaluation'),
  version: v.literal(1),
  members: v.pipe(
    v.array(
      v.strictObject({
        name: v.pipe(v.string(), v.regex(/^(?!\.)[^/\\\0]+$/, 'the name of a folder within this one')),
        family: v.string(),
      }),
    ),
    v.minLength(2, 'two models or more'),
  ),
  sha256: v.string(),
});

/** The models of the panel whose results a folder holds; undefined if it holds none. */
export async function panelIn(dir: string): Promise<readonly EvaluatedMember[] | undefined> {
  const path = join(dir, panelName);
  const text = await readFile(path, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new MeditronError('ERR_INPUT', `${path} is damaged: it is no JSON`);
  }
  const { members } = checked(schema, value, path);
  if (!isSealed(value as object)) throw new MeditronError('ERR_INPUT', `${path} was changed after it was written`);
  return members;
}

/**
 * Begins the results of a panel in a folder, or goes on with them.
 *
 * @throws MeditronError `ERR_OUTPUT` if the folder holds some and `resume` is not set; `ERR_OPTION` if they are of another panel
 */
export async function openPanelFolder(
  dir: string,
  members: readonly EvaluatedMember[],
  resume: boolean,
): Promise<void> {
  const before = await panelIn(dir);
  if (before === undefined) {
    await makeFolder(dir);
    const header = sealed({ kind: 'meditron-panel-evaluation', version: 1, members });
    await writeOutput(join(dir, panelName), `${JSON.stringify(header, null, 1)}\n`);
    return;
  }
  if (!resume)
    throw new MeditronError(
      'ERR_OUTPUT',
      `${dir} already holds the results of a panel; continue it with \`resume\`, or choose another folder`,
    );
  if (JSON.stringify(before) !== JSON.stringify(members)) {
    const told = (list: readonly EvaluatedMember[]) => list.map(({ name, family }) => `${name} (${family})`).join(', ');
    throw new MeditronError(
      'ERR_OPTION',
      `${dir} holds the results of another panel: ${told(before)} there, ${told(members)} now`,
    );
  }
}
