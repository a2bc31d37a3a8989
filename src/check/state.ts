import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { MeditronError } from './errors.js';
import { makeFolder } from './outputs.js';

/**
 * The folder for what is remembered from one run to the next, for the user alone; undefined if nothing is to be. Nothing in it is a text
 * that was asked or answered. `MEDITRON_STATE`, of which the word `none` keeps nothing; else `~/Library/Application Support/meditron` on macOS, `%LOCALAPPDATA%\meditron` on Windows, elsewhere
 * `$XDG_STATE_HOME/meditron`, by default `~/.local/state/meditron`.
 */
export function stateFolder(
  env: Readonly<Record<string, string | undefined>> = process.env,
  platform: NodeJS.Platform = process.platform,
): string | undefined {
  if (env.MEDITRON_STATE === 'none') return undefined;
  if (env.MEDITRON_STATE) return env.MEDITRON_STATE;
  if (platform === 'darwin') return join(homedir(), 'Library', 'Application Support', 'meditron');
  if (platform === 'win32') return join(env.LOCALAPPDATA || join(homedir(), 'AppData', 'Local'), 'meditron');
  // The XDG base directory specification has relative paths ignored.
  const state = env.XDG_STATE_HOME;
  return join(state && isAbsolute(state) ? state : join(homedir(), '.local', 'state'), 'meditron');
}

/** The same, made if it is not there. @throws MeditronError `ERR_OUTPUT`, also if nothing is to be kept */
export async function makeStateFolder(): Promise<string> {
  const folder = stateFolder();
  if (folder === undefined) {
    throw new MeditronError(
      'ERR_OUTPUT',
      'Something has to be kept for this, and MEDITRON_STATE is `none`, which keeps nothing. Name a folder with it, or leave it unset.',
    );
  }
  await makeFolder(folder);
  return folder;
}
