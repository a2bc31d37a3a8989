import type { KnownModelOutlook } from '../../engine/capacity/known.js';
import { knownFiles } from '../../models/hashes.js';
import type { GgufSource } from '../../models/registry.js';

/** A file that can be fetched. */
export interface Fetchable {
  readonly repository: string;
  readonly file: string;
  readonly url: string;
  /** Of this very file, where it is known. */
  readonly sha256: string | null;
  readonly note: string | null;
}

/** What there is to do to come by a model. */
export interface Ways {
  readonly id: string;
  readonly quantization: string;
  /** Of the quantization, as reckoned; null if the model’s shape is not known. */
  readonly sizeBytes: number | null;
  readonly memoryBytes: number | null;
  /** Published files, those whose hash is known first. */
  readonly files: readonly Fetchable[];
  /** Commands that make one of the published weights. */
  readonly convert: readonly string[];
}

/** Where models are published. */
export const hub = 'https://huggingface.co';

export function waysTo(model: KnownModelOutlook, quantization: string): Ways {
  const row = model.quantizations.find(each => each.quantization === quantization);
  const files = model.gguf.flatMap(source => fetchable(source, quantization) ?? []);
  return {
    ...{ id: model.id, quantization, sizeBytes: row?.sizeBytes ?? null, memoryBytes: row?.memoryBytes ?? null },
    files: [...files.filter(({ sha256 }) => sha256 !== null), ...files.filter(({ sha256 }) => sha256 === null)],
    convert: model.repository === null ? [] : convert(model.repository, quantization),
  };
}

function fetchable({ repository, file, note }: GgufSource, quantization: string): Fetchable | undefined {
  if (file === null) return undefined;
  const name = file.replace('{quantization}', quantization);
  const known = Object.entries(knownFiles).find(([, { source }]) => source === `Hugging Face ${repository} ${name}`);
  const url = `${hub}/${repository}/resolve/main/${name}`;
  return { repository, file: name, url, sha256: known?.[0] ?? null, note: note ?? null };
}

/** With the tools of llama.cpp, as docs/models.md has them. */
function convert(repository: string, quantization: string): string[] {
  const name = repository.split('/')[1]!;
  return [
    `hf download ${repository} --local-dir ${name}`,
    `python3 build/llama.cpp/convert_hf_to_gguf.py ${name} --outtype bf16 --outfile ${name}-BF16.gguf`,
    `build/quantize/bin/llama-quantize ${name}-BF16.gguf ${name}-${quantization}.gguf ${quantization}`,
  ];
}
