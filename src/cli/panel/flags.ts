import { existsSync } from 'node:fs';
import type { Option } from 'commander';
import { MeditronError } from '../../check/errors.js';
import { listOf, text } from '../../check/kinds.js';
import { engineOptions, loadOptions, processOptions } from '../../check/machine.js';
import { meantModel, modelPath } from '../../models/added.js';
import { checkFamily } from '../../panel/members.js';
import type { Measurement, PanelMember, PanelOptions } from '../../panel/types.js';
import { formatNames } from '../../prompt/format/format.js';
import { formatNameOf } from '../../prompt/format/formats.js';
import { launchEarly } from '../early.js';
import { type Flags, flag, optionsOf } from '../flags.js';

/** The models of a panel; to be repeated, or with commas. */
export function panelOption(help: string): Option {
  return flag('--panel <files>', help, { ...listOf(text, 1, 64), read: typed => filesIn(typed) });
}

/** Where accuracies are read from; to be repeated, or with commas. */
export function measuredOption(): Option {
  return flag(
    '--measured <folders>',
    'with --panel: folders or report.json files of `eval`, whose accuracies stand before the answers',
    { ...listOf(text, 1, 64), read: typed => filesIn(typed) },
  );
}

/** A file may have a comma in its name, and so may the name of an added one. */
function filesIn(typed: string): readonly string[] {
  return isThere(typed) ? [typed] : typed.split(',').map(each => each.trim());
}

/** Whether it is a file, or the name under which one was added. */
function isThere(typed: string): boolean {
  return existsSync(modelPath(typed));
}

/**
 * A model as it is typed: `FILE`, `FAMILY=FILE`, `FILE@FORMAT`, or both, with a file or the name of an added one. What is there is one, whatever
 * signs are in its name.
 *
 * @throws MeditronError `ERR_OPTION`
 */
export function memberTyped(typed: string): PanelMember {
  if (typed === '')
    throw new MeditronError(
      'ERR_OPTION',
      'Expected a file between the commas of --panel, got nothing: give --panel A.gguf,B.gguf',
    );
  if (isThere(typed)) return { path: modelPath(typed) };
  const named = /^([^=/\\]+)=(.+)$/s.exec(typed);
  const [family, rest] = named ? [checkFamily('--panel', named[1]), named[2]!] : [undefined, typed];
  const of = family === undefined ? {} : { family };
  const formatted = isThere(rest) ? null : /^(.+)@([^@/\\]+)$/s.exec(rest);
  if (!formatted) return { path: meantModel(rest), ...of };
  const [, file, format] = formatted as unknown as [string, string, string];
  const isFormat = (formatNames as readonly string[]).includes(format);
  return isFormat || isThere(file)
    ? { path: meantModel(file), ...of, format: formatNameOf(format) }
    : { path: meantModel(rest), ...of };
}

interface Machine {
  readonly load: NonNullable<PanelOptions['load']>;
  readonly engine: PanelOptions['engine'];
}

/** How the models of a panel are loaded and what their engines are like, by a command's flags. */
export function machineOf(flags: Flags): Machine {
  const { inProcess } = optionsOf(processOptions, flags);
  const { maxSequences: _, ...engine } = optionsOf(engineOptions, flags);
  return { load: { ...optionsOf(loadOptions, flags), isolate: inProcess ? false : { launch: launchEarly } }, engine };
}

/** The accuracies in what `eval` wrote. */
export async function measurementsOf(paths: readonly string[] | undefined): Promise<readonly Measurement[]> {
  if (paths === undefined) return [];
  const { measurementsIn } = await import('../../evaluate/report/measured.js');
  const found: Measurement[] = [];
  for (const path of paths) found.push(...(await measurementsIn(path)));
  return found;
}
