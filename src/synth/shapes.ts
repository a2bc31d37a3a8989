import { type Shape as ModelShape, publishedShapes } from '../models/shapes.js';
import { isSmall } from './small-vocabularies.js';
import type { VocabularyName } from './vocabulary.js';

/** The numbers of a model, and what it has unless something else is asked for. */
export interface Shape extends ModelShape {
  readonly vocabulary: VocabularyName;
  /** Tokens in all: unused ones follow. Default: as many as the vocabulary has. */
  readonly vocabularySize?: number;
  /** Its chat template, by the name that its file has in a checkout. */
  readonly template?: string;
  /** Of so many layers the last sees everything, where that is not the architecture's own period. */
  readonly windowPeriod?: number;
}

type Published = keyof typeof publishedShapes;

interface Base {
  readonly vocabulary: VocabularyName;
  readonly template?: string;
}

const meditron: Base = { vocabulary: 'meditron' };
const qwen: Base = { vocabulary: 'qwen2', template: 'Qwen-Qwen2.5-7B-Instruct' };
const gemma2: Base = { vocabulary: 'gemma', template: 'google-gemma-2-2b-it' };
/** The tune's own: it was trained with it. */
const eurollm: Base = { vocabulary: 'eurollm', template: 'chatml' };
const apertus: Base = { vocabulary: 'apertus', template: 'Apertus-8B-Instruct' };

/** Vocabulary and chat template of each base. */
const bases: Readonly<Record<Published, Base>> = {
  'meditron-7b': meditron,
  'meditron-70b': meditron,
  'llama-3-8b': { vocabulary: 'llama-3' },
  'llama-3-70b': { vocabulary: 'llama-3' },
  'qwen2.5-7b': qwen,
  'qwen2.5-14b': qwen,
  'gemma2-2b': gemma2,
  'gemma2-9b': gemma2,
  'gemma3-27b': { vocabulary: 'gemma', template: 'gemma-3' },
  'phi-4': { vocabulary: 'phi-4', template: 'phi-4' },
  'apertus-8b': apertus,
  'apertus-70b': apertus,
  'eurollm-9b': eurollm,
  'eurollm-22b': eurollm,
  'olmo2-32b': { vocabulary: 'olmo2', template: 'olmo-2' },
};

const tiny: Shape = {
  title: 'tiny',
  architecture: 'llama',
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

/** Windows are short, so that few tokens fill them. */
const windowed = { headSize: 32, slidingWindow: 32, windowPeriod: 2 } as const;

const tinyShapes = {
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
  'tiny-apertus': tinyOf('apertus-8b', 'Apertus'),
  'tiny-eurollm': tinyOf('eurollm-9b', 'EuroLLM'),
  'tiny-gemma2': tinyOf('gemma2-2b', 'Gemma 2', windowed),
  'tiny-gemma3': tinyOf('gemma3-27b', 'Gemma 3', windowed),
  'tiny-olmo2': tinyOf('olmo2-32b', 'OLMo 2'),
  'tiny-phi3': tinyOf('phi-4', 'Phi-4'),
  'tiny-qwen2': tinyOf('qwen2.5-7b', 'Qwen2.5'),
} as const satisfies Record<string, Shape>;

export type ShapeName = Published | keyof typeof tinyShapes;

/** True shapes and tiny ones. */
export const shapes = {
  ...Object.fromEntries(Object.keys(publishedShapes).map(name => [name, trueShape(name as Published)])),
  ...tinyShapes,
} as Readonly<Record<ShapeName, Shape>>;

export const shapeNames = Object.keys(shapes) as readonly ShapeName[];

function trueShape(name: Published): Shape {
  const { source: _, vocabularySize, title, ...shape }: (typeof publishedShapes)[Published] = publishedShapes[name];
  const base = bases[name];
  const filled = base === meditron || base.vocabulary === 'llama-3' ? {} : { vocabularySize };
  return { ...shape, ...base, ...filled, title: titleOf(title, base) };
}

/** The shape of a family in small: two layers, grouped queries. */
function tinyOf(name: Published, title: string, more: Partial<Shape> = {}): Shape {
  const { architecture, ropeTheta, epsilon, tied = false }: ModelShape = publishedShapes[name];
  const family = { architecture, ropeTheta, epsilon, tied, ...bases[name], ...more };
  return { ...tiny, kvHeads: 2, ...family, title: titleOf(`Tiny ${title}`, bases[name]) };
}

function titleOf(title: string, { vocabulary }: Base): string {
  return `${title} shape, random weights${isSmall(vocabulary) ? ', small vocabulary' : ''}`;
}
