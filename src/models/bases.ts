interface Base {
  readonly name: string;
  /** In the plain names of its fine-tunes, which carry the name of what they were made from. Looked for in the order of the list. */
  readonly words: RegExp;
  /** `general.architecture` of its files. */
  readonly architecture: string;
  /**
   * Whether a file of this architecture that says nothing else is taken for one of this base. Others may share it (OLMo 3 runs as `olmo2`,
   * Qwen 1.5 as `qwen2`): they are then counted once too often together, never once too often apart.
   */
  readonly assumed?: boolean;
  /** Hash of its vocabulary, where its architecture says nothing and the vocabulary was read. */
  readonly vocabulary?: string;
}

/**
 * What models were made from: the one list of bases, for known models and for all others. Versions that were trained on from each other are one
 * base (Llama 3, 3.1, 3.2, 3.3; Qwen 2 and 2.5); another generation is another.
 */
export const bases = [
  { name: 'meditron-mini', words: /meditron-mini/, architecture: 'llama' },
  { name: 'llama2.c-stories', words: /stories-?(260k|15m|42m|110m)/, architecture: 'llama' },
  { name: 'apertus', words: /apertus/, architecture: 'apertus', assumed: true },
  { name: 'eurollm', words: /eurollm/, architecture: 'llama' },
  { name: 'olmo-2', words: /olmo-?2/, architecture: 'olmo2', assumed: true },
  { name: 'olmo-3', words: /olmo-?3/, architecture: 'olmo2' },
  { name: 'qwen-3', words: /qwen-?3/, architecture: 'qwen3', assumed: true },
  {
    name: 'qwen-2.5',
    words: /qwen-?2|qwq|deepseek-r1-distill-qwen|huatuogpt-o1-7b/,
    architecture: 'qwen2',
    assumed: true,
  },
  { name: 'gemma-3', words: /medgemma|gemma-?3/, architecture: 'gemma3', assumed: true },
  { name: 'gemma-2', words: /gemma-?2/, architecture: 'gemma2', assumed: true },
  { name: 'phi-4', words: /phi-?4/, architecture: 'phi3' },
  { name: 'phi-3', words: /phi-?3/, architecture: 'phi3' },
  { name: 'mistral', words: /mixtral|mistral/, architecture: 'llama' },
  {
    name: 'llama-3',
    words: /llama-?3|openbiollm|med42-v2|meditron-?3-(8b|70b)/,
    architecture: 'llama',
    vocabulary: '2ac0a3db1efd64752b53f36827d3bf75ea4d8998b7ec2b55158d3961176727a2',
  },
  {
    name: 'llama-2',
    words: /llama-?2|med42-70b|meditron-?(7b|70b)/,
    architecture: 'llama',
    vocabulary: '2dce81785ff33593e2a1055397ba7ab9775c6a6f5719f5c6ef18715e76bfb8f7',
  },
  { name: 'llama', words: /pmc-llama|medalpaca/, architecture: 'llama' },
] as const satisfies readonly Base[];

/** What models were made from. Models of one base have learnt the same before they were tuned, and err alike: they are one opinion. */
export type ModelBase = (typeof bases)[number]['name'];

/** What follows from a model's base. */
export function madeFrom<B extends ModelBase>(base: B): { readonly base: B; readonly architecture: string } {
  return { base, architecture: bases.find(({ name }) => name === base)!.architecture };
}

/** The base that a plain name speaks of; undefined if it names none. */
export function baseNamed(plainName: string): ModelBase | undefined {
  return bases.find(({ words }) => words.test(plainName))?.name;
}

/** The base of a file whose names say nothing, and by what it is told. */
export function baseOfFile(
  architecture: string | null,
  vocabularySha256: string,
): { readonly name: ModelBase; readonly by: 'architecture' | 'vocabulary' } | undefined {
  const own = (bases as readonly (Base & { readonly name: ModelBase })[]).filter(
    base => base.architecture === architecture,
  );
  const assumed = own.find(base => base.assumed);
  if (assumed) return { name: assumed.name, by: 'architecture' };
  const known = own.find(({ vocabulary }) => vocabulary === vocabularySha256);
  return known && { name: known.name, by: 'vocabulary' };
}
