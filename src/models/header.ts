import { MeditronError } from '../check/errors.js';
import { stringAt } from '../gguf/metadata.js';
import { type GgufFile, readGguf } from '../gguf/reader.js';
import { describeFile, hashParts, type Inspection, type InspectOptions } from './inspect.js';
import { type FormatChoice, factsFor, formatForModel, identityOf } from './known.js';
import type { ModelFacts } from './registry.js';
import { identityTokensIn } from './tokens.js';

/** What a model file's header says. */
export interface Header extends Inspection {
  /** Special tokens by which models are told apart, with their ids. */
  readonly tokens: Readonly<Record<string, number>>;
  /** `general.license`. */
  readonly licence: string | null;
}

/** @throws MeditronError `ERR_MODEL_FILE`, `ERR_MODEL_FORMAT`; the signal's reason */
export async function readHeader(path: string, options: InspectOptions = {}): Promise<Header> {
  const { signal, hash } = options;
  const file = await readGguf(path, signal ? { signal } : {});
  return headerOf(file, hash ? await hashParts(file, options) : []);
}

/** The same from a file that has been read. `hashes` are those of the parts, in order. */
export function headerOf(file: GgufFile, hashes: readonly string[] = []): Header {
  const { metadata } = file;
  return {
    ...describeFile(file, hashes),
    tokens: identityTokensIn(metadata),
    licence: stringAt(metadata, 'general.license') ?? null,
  };
}

/** How a file would be asked if it were loaded, or why that is not known. */
export type Recognised = (
  | { readonly choice: FormatChoice; readonly refusal?: undefined }
  | { readonly choice?: undefined; readonly refusal: string }
) & {
  /** What is published of it. */
  readonly facts: ModelFacts | null;
};

/** The same as `formatForModel` finds it. `sha256`: of the file, where it is known. */
export function recognised(header: Header, sha256: string | null = null): Recognised {
  const identity = { ...identityOf(header, header.tokens), ...(sha256 !== null && { sha256 }) };
  try {
    const choice = formatForModel(identity);
    return { choice, facts: choice.facts };
  } catch (error) {
    if (!(error instanceof MeditronError)) throw error;
    return { refusal: error.message, facts: factsFor(identity) };
  }
}
