import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { isLaterPart } from '../gguf/split.js';

/** Model files in a folder, by name; of one in several parts the first. None if there is no such folder. */
export async function modelFilesIn(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder).catch(() => []);
  return names
    .filter(name => /\.gguf$/i.test(name) && !name.startsWith('.') && !isLaterPart(name))
    .sort()
    .map(name => join(folder, name));
}
