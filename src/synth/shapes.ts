import { type Shape as ModelShape, publishedShapes } from '../models/shapes.js';
import type { VocabularyName } from './vocabulary.js';

/** The numbers of a Llama model, and the vocabulary it has unless another one is asked for. */
export interface Shape extends ModelShape {
  readonly vocabulary: VocabularyName;
}

const tiny: Shape = {
  title: 'tiny',
  layers: 2,
  embedding: 64,
  feedForward: 160,
  heads: 4,
  kvHeads: 4,
  context: 2048,
  ropeTheta: 10_000,
  epsilon: 1e-5,
  vocabulary: 'meditron',
};

/** True shapes and tiny ones. */
export const shapes = {
  'meditron-7b': trueShape('meditron-7b', 'meditron'),
  'meditron-70b': trueShape('meditron-70b', 'meditron'),
  'llama-3-8b': trueShape('llama-3-8b', 'llama-3'),
  /** The smallest; its rows of 64 are too short for k-quants, which fall back to 32-wide blocks. */
  tiny: { ...tiny, title: 'Tiny shape, random weights' },
  /** Grouped-query attention and rows that k-quants fit. */
  'tiny-gqa': {
    ...tiny,
    title: 'Tiny grouped-query shape, random weights',
    layers: 4,
    embedding: 256,
    feedForward: 512,
    heads: 8,
    kvHeads: 2,
  },
  'tiny-llama-3': {
    ...tiny,
    title: 'Tiny Llama 3 shape, random weights',
    kvHeads: 2,
    context: 8192,
    ropeTheta: 500_000,
    vocabulary: 'llama-3',
  },
} as const satisfies Record<string, Shape>;

export type ShapeName = keyof typeof shapes;

export const shapeNames = Object.keys(shapes) as readonly ShapeName[];

function trueShape(name: keyof typeof publishedShapes, vocabulary: VocabularyName): Shape {
  const { title, layers, embedding, feedForward, heads, kvHeads, context, ropeTheta, epsilon } = publishedShapes[name];
  const shape = { layers, embedding, feedForward, heads, kvHeads, context, ropeTheta, epsilon };
  return { ...shape, title: `${title} shape, random weights`, vocabulary };
}
