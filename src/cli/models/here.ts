import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { hashOfFiles } from '../../ask/record/hashes.js';
import { MeditronError } from '../../check/errors.js';
import { shippedModel } from '../../check/project.js';
import { stickFolder } from '../../check/stick.js';
import { modelsFolder } from '../../check/sums.js';
import { availableCores } from '../../engine/capacity/cores.js';
import { availableMemory } from '../../engine/capacity/memory.js';
import { type Outlook, outlookOf } from '../../engine/capacity/outlook.js';
import { type AddedModel, addedModels } from '../../models/added.js';
import { modelFilesIn } from '../../models/folder.js';
import { type Header, readHeader } from '../../models/header.js';
import { modelName } from '../../models/names.js';
import { isPublished } from '../../models/shipped.js';
import { type Known, knownOf } from './facts.js';
import { isAsAdded } from './recorded.js';

/** A model file on this machine. What its header does not say is null. */
export interface ModelHere extends Known {
  /** What it is called: the name it was added under, or that of its file. */
  readonly name: string;
  readonly path: string;
  /** Why it is listed: it ships, lies in the folder on a stick, was added, or was named. */
  readonly from: 'shipped' | 'stick' | 'added' | 'named';
  /** Of all of its files. */
  readonly sizeBytes: number | null;
  readonly architecture: string | null;
  readonly quantization: string | null;
  /** Known from when it was added; null if the file was never read whole. */
  readonly sha256: string | null;
  /** Whether that hash is one of a published file; null without one. */
  readonly published: boolean | null;
  /** Why it cannot be used; empty if it can. */
  readonly problems: readonly string[];
  /** How a question with five chains would run here, on the CPU; null if it cannot be used. */
  readonly fits: Pick<Outlook, 'fits' | 'lowMemory' | 'samples' | 'memoryBytes'> | null;
}

/** The models that are known to be here: those that were added, in the folder on a stick, named, and the one that ships. Nothing else is looked at. */
export async function modelsHere(named: readonly string[], signal?: AbortSignal): Promise<ModelHere[]> {
  const stick = stickFolder();
  const added = addedModels();
  const places: (readonly [path: string, from: ModelHere['from']])[] = [
    ...(await Promise.all(named.map(filesAt))).flat().map(path => [path, 'named'] as const),
    ...added.map(({ files }) => [files[0]!.path, 'added'] as const),
    ...(stick === undefined ? [] : await modelFilesIn(join(stick, modelsFolder))).map(path => [path, 'stick'] as const),
    [shippedModel(), 'shipped'],
  ];
  const first = new Map(places.toReversed().map(([path, from]) => [resolve(path), from]));
  const found: ModelHere[] = [];
  for (const [path, from] of [...first].toReversed()) {
    const record = added.find(({ files }) => files[0]!.path === path);
    found.push(await modelHere(path, from, record, signal));
  }
  return found;
}

/** The model files in a folder that was named, or the file. */
async function filesAt(path: string): Promise<readonly string[]> {
  const there = await stat(path).catch(() => undefined);
  return there?.isDirectory() ? modelFilesIn(path) : [path];
}

async function modelHere(
  path: string,
  from: ModelHere['from'],
  added: AddedModel | undefined,
  signal: AbortSignal | undefined,
): Promise<ModelHere> {
  const common = { name: added?.name ?? modelName(path), path, from };
  try {
    return { ...common, ...(await described(await readHeader(path, signal ? { signal } : {}), added)) };
  } catch (error) {
    if (!(error instanceof MeditronError)) throw error;
    return {
      ...common,
      ...{ sizeBytes: null, architecture: null, quantization: null, contextLength: null, format: null, refusal: null },
      ...{
        facts: null,
        licence: null,
        sha256: added ? hashOfFiles(added.files) : null,
        published: null,
        problems: [error.message],
        fits: null,
      },
    };
  }
}

async function described(
  header: Header,
  added: AddedModel | undefined,
): Promise<Omit<ModelHere, 'name' | 'path' | 'from'>> {
  const changed = added !== undefined && !isAsAdded(header, added);
  // Another file is not the one that was hashed.
  const sha256 = added === undefined || changed ? null : hashOfFiles(added.files);
  const problems = [
    ...header.problems.map(({ message }) => message),
    ...(changed
      ? ['It is not the file that was added: its size or chat template is another. `meditron models verify` says more']
      : []),
  ];
  const { fits, lowMemory, samples, memoryBytes } = outlookOf(header, availableMemory(), availableCores());
  const { sizeBytes, architecture, quantization } = header;
  return {
    ...{ sizeBytes, architecture, quantization: quantization.name },
    ...knownOf(header, sha256),
    ...{ sha256, published: sha256 === null ? null : await isPublished(sha256), problems },
    fits: header.problems.length > 0 ? null : { fits, lowMemory, samples, memoryBytes },
  };
}
