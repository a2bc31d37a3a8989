import { type FileHash, hashProgress, type ModelFiles, modelHash } from '../../models/identity.js';
import { progressBar } from '../terminal/progress.js';

/** The hashes of files, with a bar where a person waits for them. */
export async function hashed(files: ModelFiles['files'], signal: AbortSignal): Promise<FileHash[]> {
  const progress = progressBar('Hashing');
  const timer = setInterval(() => progress.show(hashProgress({ files }).fraction), 200);
  try {
    return await modelHash({ files }, signal);
  } finally {
    clearInterval(timer);
    progress.stop();
  }
}
