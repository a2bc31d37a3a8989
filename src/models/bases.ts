/** What models were made from. Models of one base have learnt the same before they were tuned, and err alike: they are one opinion. */
export type ModelBase =
  | 'meditron-mini'
  | 'llama2.c-stories'
  | 'apertus'
  | 'eurollm'
  | 'olmo-2'
  | 'olmo-3'
  | 'qwen-3'
  | 'qwen-2.5'
  | 'gemma-3'
  | 'gemma-2'
  | 'phi-4'
  | 'phi-3'
  | 'mistral'
  | 'llama-3'
  | 'llama-2'
  | 'llama';

interface Base {
  /** In the plain names of its fine-tunes, which carry the name of what they were made from. Looked for in the order of the list. */
  readonly words: RegExp;
  /** `general.architecture` of its files. */
  readonly architecture: string;
  /**
   * Whether a file of this architecture that says nothing else is taken for one of this base. Others may share it (OLMo 3 runs as `olmo2`,
   * Qwen 1.5 as `qwen2`): two families are then counted as one, never one as two.
   */
  readonly assumed?: true;
  /** Special tokens that no vocabulary of another base has, but for bases that list them too. */
  readonly tokens?: readonly string[];
  /** SHA-256 of its vocabulary, by which it is told where its architecture does not tell it. */
  readonly vocabulary?: string;
}

/**
 * The one list of bases, for known models and for all others. Versions that were trained on from each other are one base (Llama 3, 3.1, 3.2, 3.3;
 * Qwen 2 and 2.5); another generation is another.
 */
export const bases: Readonly<Record<ModelBase, Base>> = {
  'meditron-mini': { words: /meditron-mini/, architecture: 'llama', tokens: ['[bib_ref]'] },
  'llama2.c-stories': { words: /stories-?(260k|15m|42m|110m)/, architecture: 'llama' },
  apertus: {
    words: /apertus/,
    architecture: 'apertus',
    assumed: true,
    tokens: ['<|user_start|>', '<|assistant_start|>'],
  },
  eurollm: { words: /eurollm/, architecture: 'llama' },
  'olmo-2': { words: /olmo-?2/, architecture: 'olmo2', assumed: true },
  'olmo-3': { words: /olmo-?3/, architecture: 'olmo2' },
  'qwen-3': { words: /qwen-?3/, architecture: 'qwen3', assumed: true },
  'qwen-2.5': {
    words: /qwen-?2|qwq|deepseek-r1-distill-qwen|huatuogpt-o1-7b/,
    architecture: 'qwen2',
    assumed: true,
  },
  'gemma-3': {
    words: /medgemma|gemma-?3/,
    architecture: 'gemma3',
    assumed: true,
    tokens: ['<start_of_turn>', '<end_of_turn>'],
  },
  'gemma-2': { words: /gemma-?2/, architecture: 'gemma2', assumed: true, tokens: ['<start_of_turn>', '<end_of_turn>'] },
  'phi-4': { words: /phi-?4/, architecture: 'phi3', tokens: ['<|im_sep|>'] },
  'phi-3': { words: /phi-?3/, architecture: 'phi3' },
  mistral: { words: /mixtral|mistral/, architecture: 'llama' },
  'llama-3': {
    words: /llama-?3|openbiollm|med42-v2|meditron-?3-(8b|70b)|deepseek-r1-distill-llama/,
    architecture: 'llama',
    tokens: ['<|start_header_id|>', '<|eot_id|>'],
    vocabulary: '2ac0a3db1efd64752b53f36827d3bf75ea4d8998b7ec2b55158d3961176727a2',
  },
  'llama-2': {
    words: /llama-?2|med42-70b|meditron-?(7b|70b)/,
    architecture: 'llama',
    tokens: ['[bib_ref]'],
    vocabulary: '2dce81785ff33593e2a1055397ba7ab9775c6a6f5719f5c6ef18715e76bfb8f7',
  },
  llama: { words: /pmc-llama|medalpaca/, architecture: 'llama' },
};

const list = Object.entries(bases) as [ModelBase, Base][];

/** What follows from a model's base. */
export function madeFrom<B extends ModelBase>(base: B): { readonly base: B; readonly architecture: string } {
  return { base, architecture: bases[base].architecture };
}

/** The base that a plain name speaks of; undefined if it names none. */
export function baseNamed(plainName: string): ModelBase | undefined {
  return list.find(([, { words }]) => words.test(plainName))?.[0];
}

/** Tokens by which a vocabulary is seen to be that of another base. */
export function tokensOfOthers(base: ModelBase): readonly string[] {
  const { tokens: own = [] } = bases[base];
  return list.flatMap(([, { tokens = [] }]) => tokens).filter(token => !own.includes(token));
}

/** The base of a file whose names say nothing, and by what it is told. */
export function baseOfFile(
  architecture: string | null,
  vocabularySha256: string,
): { readonly name: ModelBase; readonly by: 'architecture' | 'vocabulary' } | undefined {
  const own = list.filter(([, base]) => base.architecture === architecture);
  const assumed = own.find(([, base]) => base.assumed);
  if (assumed) return { name: assumed[0], by: 'architecture' };
  const known = own.find(([, base]) => base.vocabulary === vocabularySha256);
  return known && { name: known[0], by: 'vocabulary' };
}
