import type { CodePage, Decoded } from '../check/encoding.js';
import { packageFolder } from '../check/project.js';
import { readBuild, requireAddon } from './build.js';

/**
 * How Windows reads text that does not say its encoding: a file in the code page of the system ("ANSI"), a pipe in that of the console.
 * Undefined on other systems. The addon is loaded only when there is such a text.
 */
export function systemCodePage(source: 'file' | 'pipe', warn: (message: string) => void): CodePage | undefined {
  if (process.platform !== 'win32') return undefined;
  return { warn, decode: bytes => decode(bytes, source === 'pipe') };
}

function decode(bytes: Uint8Array, console: boolean): Decoded | undefined {
  const { addon, repair } = readBuild(packageFolder());
  return requireAddon(addon, repair).decodeBySystem(bytes, console);
}
