import { type Metadata, numbersAt, stringsAt } from '../gguf/metadata.js';
import { tokenTypes } from '../gguf/types.js';
import { identityTokens } from './known.js';

/** Ids of the special tokens by which models are told apart, as far as a file's vocabulary has them. */
export function identityTokensIn(metadata: Metadata): Readonly<Record<string, number>> {
  const texts = stringsAt(metadata, 'tokenizer.ggml.tokens');
  const types = numbersAt(metadata, 'tokenizer.ggml.token_type') ?? new Int32Array();
  const wanted: ReadonlySet<string> = new Set(identityTokens);
  const found: Record<string, number> = {};
  for (let id = 0; id < Math.min(texts?.length ?? 0, types.length); id++) {
    if (types[id] !== tokenTypes.control && types[id] !== tokenTypes.userDefined) continue;
    const text = texts!.at(id);
    if (wanted.has(text)) found[text] = id;
  }
  return found;
}
