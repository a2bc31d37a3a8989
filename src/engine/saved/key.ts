import { randomBytes } from 'node:crypto';
import { constants, type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { MeditronError } from '../../check/errors.js';
import { makeOutput } from '../../check/outputs.js';
import { makeStateFolder, stateFolder } from '../../check/state.js';

const name = 'prefix.key';
const keyBytes = 32;

/** The key with which this user's saved prefixes are authenticated; made when it is first asked for. @throws MeditronError */
export async function userKey(): Promise<Buffer> {
  const folder = await makeStateFolder();
  const path = join(folder, name);
  const found = await readKey(path);
  if (found) return found;
  await makeOutput(path, randomBytes(keyBytes)); // of two processes at once one makes it, and both use that
  return (await readKey(path)) ?? userKey();
}

/** The same; undefined if this user has none, and so has saved nothing. @throws MeditronError */
export async function knownKey(): Promise<Buffer | undefined> {
  const folder = stateFolder();
  return folder === undefined ? undefined : readKey(join(folder, name));
}

async function readKey(path: string): Promise<Buffer | undefined> {
  let file: FileHandle;
  try {
    file = await open(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0));
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    throw unusable(path, message, cause);
  }
  try {
    const found = await file.stat();
    if (!found.isFile() || found.size !== keyBytes) throw unusable(path, `expected a file of ${keyBytes} bytes`);
    if (process.getuid && found.uid !== process.getuid()) throw unusable(path, 'it belongs to another user');
    if (process.getuid && (found.mode & 0o077) !== 0) throw unusable(path, 'others can read or write it');
    const key = Buffer.alloc(keyBytes);
    const { bytesRead } = await file.read(key, 0, keyBytes, 0);
    if (bytesRead < keyBytes) throw unusable(path, 'it was changed meanwhile');
    return key;
  } finally {
    await file.close();
  }
}

function unusable(path: string, why: string, cause?: unknown): MeditronError {
  const advice = 'If it is not as this program made it, delete it: what was saved with it has to be saved again';
  return new MeditronError('ERR_INPUT', `The key of saved prefixes ${path} cannot be used: ${why}. ${advice}.`, {
    cause,
  });
}
