import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';

/**
 * The folder for what is remembered from one start to the next, never of questions, prompts or answers: `MEDITRON_STATE`, or where
 * the system keeps such things (the XDG Base Directory Specification on Linux). It need not be there. Undefined where there is no
 * home: then nothing is remembered.
 */
export function stateFolder(
  env: NodeJS.ProcessEnv = process.env,
  platform: string = process.platform,
): string | undefined {
  if (env.MEDITRON_STATE) return isAbsolute(env.MEDITRON_STATE) ? env.MEDITRON_STATE : undefined;
  if (platform === 'win32') return env.LOCALAPPDATA ? join(env.LOCALAPPDATA, 'meditron') : undefined;
  const home = env.HOME || homeOfUser();
  if (platform === 'darwin') return home && join(home, 'Library', 'Application Support', 'meditron');
  if (env.XDG_STATE_HOME && isAbsolute(env.XDG_STATE_HOME)) return join(env.XDG_STATE_HOME, 'meditron');
  return home && join(home, '.local', 'state', 'meditron');
}

function homeOfUser(): string | undefined {
  try {
    return homedir() || undefined;
  } catch {
    return undefined; // the user is in no list of users
  }
}
