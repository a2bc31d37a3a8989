import { type TensorTypeName, tensorBytes } from '../gguf/types.js';
import { kvBytes } from './inspect.js';
import { plainName } from './known.js';
import { type Quant, typeFor } from './mixture.js';
import { type Plan, type PublishedShape, planTensors, publishedShapes } from './shapes.js';

/** Models by the name they are published under, with the shape of their weights. */
const models: readonly { readonly pattern: RegExp; readonly is: keyof typeof publishedShapes }[] = [
  { pattern: /^meditron-?7b(-chat)?$/, is: 'meditron-7b' },
  { pattern: /^meditron-?70b(-chat)?$/, is: 'meditron-70b' },
  { pattern: /^(meditron-?3-8b|llama-3(\.1)?-(8b-meditron|meditron-8b))$/, is: 'llama-3-8b' },
  { pattern: /^(meditron-?3-70b|llama-3(\.1)?-(70b-meditron|meditron-70b))$/, is: 'llama-3-70b' },
];

/** One name of each shape, for messages. */
export const publishedNames = ['meditron-7b', 'meditron-70b', 'meditron3-8b', 'meditron3-70b'] as const;

/** The shape of a model of this name, written in any of the usual ways; undefined if it is not known. */
export function publishedShape(name: string): PublishedShape | undefined {
  const plain = plainName(name).replace(/-v1\.0$/, '');
  const found = models.find(({ pattern }) => pattern.test(plain));
  return found && publishedShapes[found.is];
}

/** The usual quantizations, best first, as file names spell them. */
export const usualQuants = {
  q8_0: 'Q8_0',
  q6_k: 'Q6_K',
  q5_k_m: 'Q5_K_M',
  q4_k_m: 'Q4_K_M',
  q3_k_m: 'Q3_K_M',
  q2_k: 'Q2_K',
} as const satisfies Partial<Record<Quant, string>>;

/** The tensors of a file of this shape in a quantization, as llama.cpp v0.4.0 makes it. */
export function tensorsOf(
  shape: PublishedShape,
  quant: Quant,
): (Plan & { readonly bytes: number; readonly type: TensorTypeName })[] {
  return planTensors(shape, shape.vocabularySize).map(plan => {
    const type = typeFor(plan, shape, quant);
    return { ...plan, type: type.name, bytes: tensorBytes(type, plan.dimensions) };
  });
}

/** What the file of a published model will say of its shape. */
export function reckonedOf(shape: PublishedShape, tensors: readonly { readonly bytes: number }[]) {
  const headSize = shape.embedding / shape.heads;
  return {
    layers: shape.layers,
    embedding: shape.embedding,
    heads: shape.heads,
    feedForward: shape.feedForward,
    contextLength: shape.context,
    headSize,
    vocabulary: { size: shape.vocabularySize },
    kvBytesPerToken: kvBytes(2 * shape.layers * shape.kvHeads * headSize),
    sizeBytes: tensors.reduce((sum, { bytes }) => sum + bytes, 0),
  };
}
