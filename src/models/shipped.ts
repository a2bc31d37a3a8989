import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { packageFolder } from '../check/project.js';
import { knownFiles } from './hashes.js';

/** Whether it is the SHA-256 of a published file that is known, or the one on the card of the model that ships. */
export async function isPublished(sha256: string): Promise<boolean> {
  if (sha256 in knownFiles) return true;
  const card = await readFile(join(packageFolder(), 'models', 'meditron-mini.md'), 'utf8').catch(() => '');
  return card.includes(`\`${sha256}\``);
}
