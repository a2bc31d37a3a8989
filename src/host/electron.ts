import { MeditronError } from '../check/errors.js';
import type { IsolateOptions } from './host.js';

const remedy =
  "Give `isolate: { execPath }`, the path of a plain Node that the app brings along (docs/electron.md). Electron's own program is none: " +
  'a fuse (RunAsNode) may keep it from running as Node, when it would start the app again, and its allocator ends the process at large blocks';

/**
 * In Electron nothing is chosen by default: started as Node its program may be the app a second time, and in its own processes an
 * assertion of llama.cpp or a block of a gigabyte (electron/electron#44291) takes the windows along.
 *
 * @throws MeditronError `ERR_OPTION` that says what to give
 */
export function checkInElectron(isolate: IsolateOptions | undefined, given: unknown): void {
  if (process.versions.electron === undefined) return;
  if (isolate === undefined) {
    if (given === false) return; // in so many words
    throw new MeditronError(
      'ERR_OPTION',
      `Expected \`isolate\` in a process of Electron, which a model would end with itself. ${remedy}. \`isolate: false\` loads the model here all the same`,
    );
  }
  if (isolate.execPath !== undefined || isolate.launch !== undefined) return;
  throw new MeditronError('ERR_OPTION', `Expected \`isolate.execPath\` in a process of Electron, got none. ${remedy}`);
}
