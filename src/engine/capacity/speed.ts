import type { TensorTypeName } from '../../gguf/types.js';
import { sum } from './need.js';
import { type Outlook, typical } from './outlook.js';

/** Vectors at once that products are measured with: one sample, the four of a repacked kernel, five, and a prompt's tokens. */
export const measuredColumns = [1, 4, 5, 32] as const;

/** Seconds per byte of matrices, for each of {@link measuredColumns}. */
export type Rates = readonly number[];

export interface Speed {
  /** Tokens a second of all samples together, about: with one sample, and with five as they are laid out. */
  readonly tokensPerSecond: { readonly one: number; readonly five: number };
  readonly promptTokensPerSecond: number;
  /** Until a typical question with five chains is answered. */
  readonly questionSeconds: number;
}

/**
 * What a step takes beside its products (attention, norms, sampling), as a factor, and how far off a figure may be, as a part of it:
 * measured on files of true size (bench/results/fit.json).
 */
const besideProducts = 1.12;
export const speedError = 0.3;

/** Bytes of matrices that every token is multiplied with, by type. The token embeddings are looked up. */
export function multiplied(
  tensors: readonly { readonly name: string; readonly type: TensorTypeName; readonly bytes: number }[],
): ReadonlyMap<TensorTypeName, number> {
  const tied = !tensors.some(({ name }) => name === 'output.weight');
  const bytes = new Map<TensorTypeName, number>();
  for (const { name, type, bytes: size } of tensors) {
    if (type === 'f32' || (name.startsWith('token_embd.') && !tied)) continue;
    bytes.set(type, (bytes.get(type) ?? 0) + size);
  }
  return bytes;
}

/** The speed of a model whose matrices have these bytes of each type. `rates` are those of the layout's way of loading. */
export function speedOf(
  bytes: ReadonlyMap<TensorTypeName, number>,
  rates: (type: TensorTypeName) => Rates,
  { waves }: Pick<Outlook, 'waves'>,
): Speed {
  const step = (columns: number): number => {
    const at = measuredColumns.findIndex(count => count >= columns);
    return besideProducts * sum([...bytes].map(([type, size]) => size * rates(type)[at]!));
  };
  const chains = sum(waves.map(step)) * typical.tokensOfChain;
  const promptTokensPerSecond = 32 / step(32);
  return {
    tokensPerSecond: { one: 1 / step(1), five: (typical.samples * typical.tokensOfChain) / chains },
    promptTokensPerSecond,
    questionSeconds: typical.promptTokens / promptTokensPerSecond + chains,
  };
}
