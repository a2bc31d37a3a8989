/** The numbers of a model. */
export interface Shape {
  readonly title: string;
  /** `general.architecture`. */
  readonly architecture: string;
  readonly layers: number;
  readonly embedding: number;
  readonly feedForward: number;
  readonly heads: number;
  readonly kvHeads: number;
  /** Trained context in tokens. */
  readonly context: number;
  readonly ropeTheta: number;
  readonly epsilon: number;
  /** Of a head, where it is not embedding ÷ heads. */
  readonly headSize?: number;
  /** Whether the output matrix is the token embedding. */
  readonly tied?: boolean;
  /** Tokens that the layers with a window see, where there are any. */
  readonly slidingWindow?: number;
}

/** A shape of published weights, and where it was read. */
export interface PublishedShape extends Shape {
  /** Tokens in the vocabulary. */
  readonly vocabularySize: number;
  readonly source: string;
}

const llama2 = {
  architecture: 'llama',
  ropeTheta: 10_000,
  epsilon: 1e-5,
  vocabularySize: 32_017,
  source: 'arXiv 2311.16079, section 4.1; config.json of Llama 2 and of malhajar/meditron-7b-chat and -70b-chat',
} as const;
const llama3 = {
  architecture: 'llama',
  ropeTheta: 500_000,
  epsilon: 1e-5,
  vocabularySize: 128_256,
  context: 8192,
  source: 'config.json of Llama 3.1; EPFLiGHT/meditron-apertus, axolotl_config/meditron-3-8b.yaml',
} as const;
const qwen = { architecture: 'qwen2', ropeTheta: 1_000_000, context: 131_072, vocabularySize: 152_064 } as const;
const gemma = { epsilon: 1e-6, tied: true, source: 'google/gemma_pytorch, gemma/config.py' } as const;
const gemma2 = {
  ...gemma,
  architecture: 'gemma2',
  ropeTheta: 10_000,
  context: 8192,
  slidingWindow: 4096,
  vocabularySize: 256_000,
} as const;
/** The MeditronFO models were trained on 4,096 tokens: arXiv 2605.16215. */
const fo = { context: 4096 } as const;
const apertus = {
  ...fo,
  architecture: 'apertus',
  ropeTheta: 12_000_000,
  epsilon: 1e-5,
  vocabularySize: 131_072,
  source: 'arXiv 2509.14233 and config.json of its fine-tunes',
} as const;

/**
 * The MEDITRON family by the base whose shape each has. MEDITRON is Llama 2 with 17 added tokens, trained on 2,048 tokens (7B) and 4,096
 * (70B); Meditron3 is Llama 3.1 trained on 8,192. A shape that was not found in a public configuration is left out.
 */
export const publishedShapes = {
  'meditron-7b': {
    ...llama2,
    title: 'Meditron 7B',
    layers: 32,
    embedding: 4096,
    feedForward: 11_008,
    heads: 32,
    kvHeads: 32,
    context: 2048,
  },
  'meditron-70b': {
    ...llama2,
    title: 'Meditron 70B',
    layers: 80,
    embedding: 8192,
    feedForward: 28_672,
    heads: 64,
    kvHeads: 8,
    context: 4096,
  },
  'llama-3-8b': {
    ...llama3,
    title: 'Llama 3 8B',
    layers: 32,
    embedding: 4096,
    feedForward: 14_336,
    heads: 32,
    kvHeads: 8,
  },
  'llama-3-70b': {
    ...llama3,
    title: 'Llama 3 70B',
    layers: 80,
    embedding: 8192,
    feedForward: 28_672,
    heads: 64,
    kvHeads: 8,
  },
  'qwen2.5-7b': {
    ...qwen,
    title: 'Qwen2.5 7B',
    layers: 28,
    embedding: 3584,
    feedForward: 18_944,
    heads: 28,
    kvHeads: 4,
    epsilon: 1e-6,
    source: 'config.json of Qwen/Qwen2.5-7B',
  },
  'qwen2.5-14b': {
    ...qwen,
    title: 'Qwen2.5 14B',
    layers: 48,
    embedding: 5120,
    feedForward: 13_824,
    heads: 40,
    kvHeads: 8,
    epsilon: 1e-5,
    source: 'config.json of Qwen/Qwen2.5-14B',
  },
  'gemma2-2b': {
    ...gemma2,
    title: 'Gemma 2 2B',
    layers: 26,
    embedding: 2304,
    feedForward: 9216,
    heads: 8,
    kvHeads: 4,
    headSize: 256,
  },
  'gemma2-9b': {
    ...gemma2,
    title: 'Gemma 2 9B',
    layers: 42,
    embedding: 3584,
    feedForward: 14_336,
    heads: 16,
    kvHeads: 8,
    headSize: 256,
  },
  'phi-4': {
    architecture: 'phi3',
    title: 'Phi-4 14B',
    layers: 40,
    embedding: 5120,
    feedForward: 17_920,
    heads: 40,
    kvHeads: 10,
    context: 16_384,
    ropeTheta: 250_000,
    epsilon: 1e-5,
    vocabularySize: 100_352,
    source: 'config.json of microsoft/phi-4',
  },
  'apertus-8b': {
    ...apertus,
    title: 'Apertus 8B',
    layers: 32,
    embedding: 4096,
    feedForward: 21_504,
    heads: 32,
    kvHeads: 8,
  },
  'apertus-70b': {
    ...apertus,
    title: 'Apertus 70B',
    layers: 80,
    embedding: 8192,
    feedForward: 43_008,
    heads: 64,
    kvHeads: 8,
  },
  'eurollm-9b': {
    ...fo,
    architecture: 'llama',
    title: 'EuroLLM 9B',
    layers: 42,
    embedding: 4096,
    feedForward: 12_288,
    heads: 32,
    kvHeads: 8,
    ropeTheta: 10_000,
    epsilon: 1e-5,
    vocabularySize: 128_000,
    source: 'config.json of utter-project/EuroLLM-9B-Instruct',
  },
  'eurollm-22b': {
    ...fo,
    architecture: 'llama',
    title: 'EuroLLM 22B',
    layers: 56,
    embedding: 6144,
    feedForward: 16_384,
    heads: 48,
    kvHeads: 8,
    ropeTheta: 1_000_000,
    epsilon: 1e-5,
    vocabularySize: 128_000,
    source:
      'hyper-parameters on the card of utter-project/EuroLLM-22B-2512; epsilon and vocabulary: config.json of the 9B',
  },
  'olmo2-32b': {
    ...fo,
    architecture: 'olmo2',
    title: 'OLMo 2 32B',
    layers: 64,
    embedding: 5120,
    feedForward: 27_648,
    heads: 40,
    kvHeads: 8,
    ropeTheta: 500_000,
    epsilon: 1e-6,
    vocabularySize: 100_352,
    source: 'config.json of allenai/OLMo-2-0325-32B',
  },
  'gemma3-27b': {
    ...gemma,
    ...fo,
    architecture: 'gemma3',
    title: 'Gemma 3 27B',
    layers: 62,
    embedding: 5376,
    feedForward: 21_504,
    heads: 32,
    kvHeads: 16,
    headSize: 128,
    slidingWindow: 1024,
    ropeTheta: 1_000_000,
    vocabularySize: 262_144,
  },
} as const satisfies Record<string, PublishedShape>;
