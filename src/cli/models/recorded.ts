import { resolve } from 'node:path';
import { hashOfFiles } from '../../ask/record/hashes.js';
import { textHash } from '../../check/seal.js';
import { type AddedModel, addedModel } from '../../models/added.js';
import type { Inspection } from '../../models/inspect.js';

/** The hash that a file had when it was added; null if it never was, or is seen to be another file now. */
export function recordedHash(found: Inspection): string | null {
  const added = addedModel(resolve(found.path));
  return added && isAsAdded(found, added) ? hashOfFiles(added.files) : null;
}

/** As far as its header tells, for nothing else is read: sizes and chat template. */
export function isAsAdded({ files, chatTemplate }: Inspection, added: AddedModel): boolean {
  return (
    files.length === added.files.length &&
    files.every(({ sizeBytes }, i) => sizeBytes === added.files[i]!.sizeBytes) &&
    templateHash(chatTemplate) === added.template
  );
}

/** Of a file's own chat template; null if it has none. */
export function templateHash(chatTemplate: string | null): string | null {
  return chatTemplate === null ? null : textHash(chatTemplate);
}
