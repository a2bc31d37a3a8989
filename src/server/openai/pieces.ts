import type { Model } from '../../engine/model.js';

const known = new WeakMap<Model, Promise<Pieces>>();

/** What the tokens of a model are shown as; all of them are asked for once. */
export function piecesOf(model: Model): Promise<Pieces> {
  const found = known.get(model);
  if (found) return found;
  const ids = Int32Array.from({ length: model.info.vocabulary.size }, (_, id) => id);
  const pieces = model.spell(ids).then(bytes => new Pieces(bytes, new Set(model.info.specials)));
  known.set(model, pieces);
  pieces.catch(() => known.delete(model));
  return pieces;
}

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const lenient = new TextDecoder('utf-8', { ignoreBOM: true });

export class Pieces {
  constructor(
    private readonly all: readonly Uint8Array[],
    private readonly specials: ReadonlySet<number>,
  ) {}

  bytes(token: number): Uint8Array {
    return this.all[token] ?? new Uint8Array(0);
  }

  /** The bytes that it adds to a text: none of a special token. */
  textBytes(token: number): Uint8Array {
    return this.specials.has(token) ? new Uint8Array(0) : this.bytes(token);
  }

  /** As chat completions show a token: what is no whole character has a sign in its place. */
  text(token: number): string {
    return lenient.decode(this.bytes(token));
  }

  /** As completions show it, where tokens are told apart by their texts: bytes that are no whole character are spelt out. */
  name(token: number): string {
    const bytes = this.bytes(token);
    try {
      return strict.decode(bytes);
    } catch {
      return `bytes:${Array.from(bytes, byte => `\\x${byte.toString(16).padStart(2, '0')}`).join('')}`;
    }
  }

  /** The text of tokens, special ones left out. */
  textOf(tokens: Int32Array): string {
    return lenient.decode(Buffer.concat(Array.from(tokens, token => this.textBytes(token))));
  }
}
