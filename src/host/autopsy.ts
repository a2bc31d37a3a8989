import { statSync } from 'node:fs';
import { hashProgress, type ModelFiles, modelHash } from '../models/identity.js';
import type { Ended } from './connection.js';

/** Files up to this size are hashed at once, in a tenth of a second. */
const quickBytes = 64 << 20;

/** The SHA-256 of the model that a process ran, if it is known or quickly made; of a split model those of all parts, joined by commas. */
export async function hashOfDead(info: ModelFiles | undefined, path: string): Promise<string | null> {
  try {
    const files = info ?? { files: [{ path, sizeBytes: statSync(path).size }] };
    const known = hashProgress(files).files;
    const size = files.files.reduce((sum, file) => sum + file.sizeBytes, 0);
    if (!known && size > quickBytes) return null;
    return (known ?? (await modelHash(files))).map(file => file.sha256).join(',');
  } catch {
    return null; // gone, or replaced
  }
}

/**
 * Signals that a process does not send itself, and what the addon prints of one that another process sent. On Windows who ends a process
 * chooses its exit code: the Task Manager, taskkill and Node choose 1; the console ends one with 0xc000013a.
 */
export function isExternal(
  { signal, exitCode, unresponsive, stopped, lastLines }: Ended,
  platform: NodeJS.Platform = process.platform,
): boolean {
  if (unresponsive) return stopped;
  if (signal !== null && ['SIGKILL', 'SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT'].includes(signal)) return true;
  if (platform === 'win32' && (exitCode === 1 || exitCode === 0xc000013a)) return true;
  return lastLines.some(line => /^meditron: SIG\w+ from process \d+$/.test(line));
}
