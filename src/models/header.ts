import { MeditronError } from '../check/errors.js';
import { stringAt } from '../gguf/metadata.js';
import { readGguf } from '../gguf/reader.js';
import { describeFile, type Inspection } from './inspect.js';
import { type FormatChoice, formatForModel, identityOf } from './known.js';
import { identityTokensIn } from './tokens.js';

/** What a model file's header says. */
export interface Header extends Inspection {
  /** Special tokens by which models are told apart, with their ids. */
  readonly tokens: Readonly<Record<string, number>>;
  /** `general.license`. */
  readonly licence: string | null;
}

/** @throws MeditronError `ERR_MODEL_FILE`, `ERR_MODEL_FORMAT`; the signal's reason */
export async function readHeader(path: string, signal?: AbortSignal): Promise<Header> {
  const file = await readGguf(path, signal ? { signal } : {});
  const { metadata } = file;
  return {
    ...describeFile(file),
    tokens: identityTokensIn(metadata),
    licence: stringAt(metadata, 'general.license') ?? null,
  };
}

/** How a file would be asked if it were loaded, or why that is not known. */
export type Recognised =
  | { readonly choice: FormatChoice; readonly refusal?: undefined }
  | { readonly choice?: undefined; readonly refusal: string };

/** The same as `formatForModel` finds it. `sha256`: of the file, where it is known. */
export function recognised(header: Header, sha256: string | null = null): Recognised {
  try {
    return { choice: formatForModel({ ...identityOf(header, header.tokens), ...(sha256 !== null && { sha256 }) }) };
  } catch (error) {
    if (!(error instanceof MeditronError)) throw error;
    return { refusal: error.message };
  }
}
