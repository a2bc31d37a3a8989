import * as v from 'valibot';
import { numberAt, stringAt } from '../../gguf/metadata.js';
import type { GgufFile } from '../../gguf/reader.js';
import { hashFile } from '../../models/hash.js';
import { type ModelFiles, modelHash } from '../../models/identity.js';
import { loadAddon } from '../../native/load.js';
import type { ModelInfo } from '../info.js';
import type { EngineSettings } from '../settings.js';

/**
 * What a saved prefix belongs to: all that decides the numbers in the KV cache. It is restored where each is the same. The number of cells
 * and of sequences decides none, and how the model's file says positions are rotated goes with the hash of the model.
 */
export type Belongs = v.InferOutput<typeof belongsSchema>;

export const belongsSchema = v.strictObject({
  headers: v.string(),
  libraries: v.string(),
  ggml: v.string(),
  build: v.string(),
  /** SHA-256 of the addon: two builds from source of one release can have other kernels. */
  addon: v.string(),
  cpuVariant: v.string(),
  devices: v.string(),
  layers: v.string(),
  loadMode: v.string(),
  model: v.string(),
  loras: v.string(),
  /** Some models have other factors for contexts beyond the trained one: the one thing that the size of the context decides. */
  ropeFactors: v.picklist(['one', 'short', 'long']),
  /** Most tokens of it that were in one step: kernels differ by their number. */
  rows: v.number(),
  /** A batch of one row is computed by as many parts as there are threads. */
  threads: v.number(),
  kvType: v.string(),
  flashAttention: v.string(),
  kernels: v.string(),
});

/** A prefix of so many tokens in an engine. */
export interface Belonging {
  readonly tokenCount: number;
  readonly info: ModelInfo;
  readonly settings: EngineSettings;
  readonly adapters: ModelFiles;
  /** Cells beyond which the model's positions are rotated by its long factors; undefined if it has one set of factors. */
  readonly longFrom: number | undefined;
}

/** See {@link Belonging.longFrom}: llama.cpp takes the long factors in a context of more cells than this. */
export function longFactorsFrom({ metadata, tensors }: GgufFile): number | undefined {
  if (!tensors.some(({ name }) => name === 'rope_factors_long.weight')) return undefined;
  const architecture = stringAt(metadata, 'general.architecture');
  const hyper = (name: string) => numberAt(metadata, `${architecture}.${name}`);
  return hyper('rope.scaling.original_context_length') ?? hyper('context_length');
}

/** Files whose hashes are known from the prefix that is being restored, so that none of them is read again. */
export const filesSchema = v.array(v.strictObject({ identity: v.string(), sha256: v.string() }));
export type KnownFiles = v.InferOutput<typeof filesSchema>;

/** What a prefix belongs to, and which files were hashed for that. @throws MeditronError `ERR_MODEL_FILE` */
export async function belongsTo(
  { tokenCount, info, settings, adapters, longFrom }: Belonging,
  known: KnownFiles,
  signal: AbortSignal | undefined,
): Promise<{ belongs: Belongs; files: KnownFiles }> {
  const { build, cpuVariant } = info.runtime;
  const model = await hashes(info, known, signal);
  const loras = await hashes(adapters, known, signal);
  const belongs = {
    headers: build.headers,
    libraries: build.libraries,
    ggml: build.ggml,
    build: build.kind,
    addon: await addonHash(),
    cpuVariant,
    devices: info.devices.map(({ backend, name, description }) => `${backend} ${name} ${description}`).join(', '),
    layers: info.layersOf.map(({ device, layers }) => `${device} ${layers}`).join(', '),
    loadMode: info.loadMode,
    model: model.map(({ sha256 }) => sha256).join(' '),
    loras: loras.map(({ sha256 }, i) => `${sha256} × ${settings.loras[i]!.scale}`).join(', '),
    ropeFactors: longFrom === undefined ? 'one' : settings.contextSize > longFrom ? 'long' : 'short',
    rows: Math.min(settings.batchSize, tokenCount),
    threads: settings.threads,
    kvType: settings.kvType,
    flashAttention: settings.flashAttention,
    kernels: settings.kernels,
  } as const;
  return { belongs, files: [...model, ...loras].filter(({ identity }) => identity !== '') };
}

/** Of files that are still the ones whose hashes are known the known ones; others are read, once per process. */
async function hashes(
  { files }: ModelFiles,
  known: KnownFiles,
  signal: AbortSignal | undefined,
): Promise<{ identity: string; sha256: string }[]> {
  const found: { identity: string; sha256: string }[] = [];
  for (const file of files) {
    const identity = file.identity ?? '';
    const before = identity === '' ? undefined : known.find(each => each.identity === identity);
    const sha256 = before?.sha256 ?? (await modelHash({ files: [file] }, signal))[0]!.sha256;
    found.push({ identity, sha256 });
  }
  return found;
}

let ofAddon: Promise<string> | undefined;

function addonHash(): Promise<string> {
  ofAddon ??= loadAddon().then(({ path }) => hashFile(path));
  return ofAddon;
}
