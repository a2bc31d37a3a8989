import { type TensorTypeName, tensorBytes } from '../gguf/types.js';
import { kvBytes } from './inspect.js';
import { type Quant, typeFor } from './mixture.js';
import { plainName } from './names.js';
import { headSizeOf, type Plan, planTensors } from './plan.js';
import { registry } from './registry.js';
import { type PublishedShape, publishedShapes } from './shapes.js';

/** Models of the family whose shape is published, in the order in which they came out. */
const models = registry.filter(({ line, shape }) => line === 'meditron' && shape !== undefined);

/** One name of each, for messages. */
export const publishedNames: readonly string[] = models.map(({ id }) => id);

/** The shape of a model of this name, written in any of the usual ways; undefined if it is not known. */
export function publishedShape(name: string): PublishedShape | undefined {
  const plain = plainName(name);
  const shape = models.find(({ pattern }) => pattern.test(plain))?.shape;
  return shape && publishedShapes[shape];
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
  const headSize = headSizeOf(shape);
  return {
    architecture: shape.architecture,
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
