import { type FileHash, hashProgress, type ModelFiles, modelHash } from '../models/identity.js';
import { progressBar } from './terminal/progress.js';

/** The hashes of files, with a bar where a person waits for them. */
export function hashed(files: ModelFiles['files'], signal: AbortSignal): Promise<FileHash[]> {
  return hashing('Hashing', { files }, modelHash({ files }, signal));
}

/** Waits for hashes of `files` that are being made, with a bar where a person waits for them. */
export async function hashing<T>(title: string, files: ModelFiles, hashes: Promise<T>): Promise<T> {
  const progress = progressBar(title);
  const timer = setInterval(() => progress.show(hashProgress(files).fraction), 100);
  try {
    return await hashes;
  } finally {
    clearInterval(timer);
    progress.stop();
  }
}
