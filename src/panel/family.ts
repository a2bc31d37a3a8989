import { createHash } from 'node:crypto';
import { type Metadata, numberAt, numbersAt, stringAt, stringsAt } from '../gguf/metadata.js';
import { tokenTypes } from '../gguf/types.js';
import { baseNamed, baseOfFile } from '../models/bases.js';
import { modelNamed } from '../models/known.js';
import { plainName } from '../models/names.js';

/** Models that were made from the same base, and can be wrong for one reason. */
export interface Family {
  /** As `llama-3`; of a model whose base is not known its architecture and the beginning of its vocabulary's hash. */
  readonly name: string;
  /**
   * How that is known: said by the caller; by the model's own name; by the base that its file names; by its architecture, where only one
   * family has it; by its vocabulary, where it is that of a known base. `fingerprint`: the base is not known, and all models with
   * this architecture and this vocabulary count once, because one may have been made from the other.
   */
  readonly by: 'caller' | 'name' | 'base' | 'architecture' | 'vocabulary' | 'fingerprint';
}

/** What of a model file its family is told by. */
export interface FamilyIdentity {
  /** `general.name`, then the file's name. */
  readonly names: readonly string[];
  /** What the file says it was made from (`general.base_model.0.name` and its kin). */
  readonly bases: readonly string[];
  /** `general.architecture`. */
  readonly architecture: string | null;
  /** Of the texts of its tokens, those that were added for chats left out. */
  readonly vocabularySha256: string;
}

/**
 * The family of a model: what its caller says, else what its name says, else the base that its file names, else what follows from its
 * architecture or its vocabulary. A model whose base is not known counts once with all others of the same architecture and
 * vocabulary: only its caller can know that it stands apart.
 */
export function familyOf(identity: FamilyIdentity, called?: string): Family {
  if (called !== undefined) return { name: called, by: 'caller' };
  const { architecture, vocabularySha256: vocabulary } = identity;
  const named = firstNamed(identity.names);
  if (named !== undefined) return { name: named, by: 'name' };
  const based = firstNamed(identity.bases);
  if (based !== undefined) return { name: based, by: 'base' };
  const found = baseOfFile(architecture, vocabulary);
  if (found !== undefined) return found;
  return { name: `${architecture ?? 'unknown'}-${vocabulary.slice(0, 8)}`, by: 'fingerprint' };
}

function firstNamed(given: readonly string[]): string | undefined {
  const known = modelNamed(given);
  if (known) return known.base;
  for (const name of given) {
    const base = baseNamed(plainName(name));
    if (base !== undefined) return base;
  }
  return undefined;
}

/** What a file's header says of its family. */
export function identityOf({ path, metadata }: { readonly path: string; readonly metadata: Metadata }): FamilyIdentity {
  const name = stringAt(metadata, 'general.name');
  const bases = Array.from({ length: Math.min(8, numberAt(metadata, 'general.base_model.count') ?? 0) }, (_, i) => [
    stringAt(metadata, `general.base_model.${i}.name`),
    stringAt(metadata, `general.base_model.${i}.repo_url`),
  ]).flat();
  return {
    names: [...(name === undefined ? [] : [name]), path],
    bases: bases.filter(base => base !== undefined),
    architecture: stringAt(metadata, 'general.architecture') ?? null,
    vocabularySha256: vocabularyHash(metadata),
  };
}

/** Fine-tunes add tokens to the vocabulary of their base, which are control or user-defined ones: the rest stays. */
function vocabularyHash(metadata: Metadata): string {
  const hash = createHash('sha256');
  const tokens = stringsAt(metadata, 'tokenizer.ggml.tokens');
  const types = numbersAt(metadata, 'tokenizer.ggml.token_type');
  for (let id = 0; id < (tokens?.length ?? 0); id++) {
    if (types && types[id] !== tokenTypes.normal && types[id] !== tokenTypes.byte) continue;
    hash.update(tokens!.bytes(id)).update('\0');
  }
  return hash.digest('hex');
}
