import { piecesOf, type SmallOptions, type SmallVocabulary, smallVocabulary } from './small.js';

/** Words of questions and answers. */
const pieces = piecesOf([
  '▁the',
  '▁is',
  '▁of',
  '▁and',
  '▁patient',
  '▁answer',
  '▁Answer',
  '▁A',
  '▁B',
  '▁C',
  '▁D',
  '▁yes',
  '▁no',
]);

const letters = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ';

const numbered = (before: string, count: number): string[] => Array.from({ length: count }, (_, i) => `${before}${i}`);

/**
 * Vocabularies that llama.cpp's tree does not have, in small: kind, splitting, special tokens and settings are those of the real one, the
 * rest is bytes and a few words.
 */
const vocabularies = {
  /** swiss-ai/Apertus-8B-Instruct-2509: Mistral-Nemo's tekken with other special tokens. */
  apertus: {
    model: 'gpt2',
    pre: 'tekken',
    special: [
      ...['<unk>', '<s>', '</s>', '<pad>'],
      ...['system', 'developer', 'user', 'assistant'].flatMap(role => [`<|${role}_start|>`, `<|${role}_end|>`]),
      ...['<|inner_prefix|>', '<|inner_suffix|>', '<|tools_prefix|>', '<|tools_suffix|>'],
    ],
    ids: { bos: '<s>', eos: '<|assistant_end|>', unknown: '<unk>', padding: '<pad>' },
    addBos: true,
    pieces,
  },
  /** utter-project/EuroLLM-9B-Instruct. */
  eurollm: {
    model: 'llama',
    pre: 'default',
    letters,
    special: ['<unk>', '<s>', '</s>', '<|im_start|>', '<|im_end|>'],
    ids: { bos: '<s>', eos: '<|im_end|>', unknown: '<unk>', padding: '</s>' },
    addBos: true,
    addSpacePrefix: false,
    pieces,
  },
  /** google/gemma-2-2b-it and gemma-3-27b-it. */
  gemma: {
    model: 'llama',
    pre: 'default',
    letters,
    special: ['<pad>', '<eos>', '<bos>', '<unk>', '<mask>', '<start_of_turn>', '<end_of_turn>'],
    userDefined: ['\n', '\n\n', '\n\n\n', '  ', '   ', '<table>', '</table>'],
    ids: { bos: '<bos>', eos: '<eos>', unknown: '<unk>', padding: '<pad>' },
    addBos: true,
    addSpacePrefix: false,
    pieces,
  },
  /** allenai/OLMo-2-0325-32B-SFT: GPT-4's splitting; the markers of turns are plain text. */
  olmo2: {
    model: 'gpt2',
    pre: 'dbrx',
    special: [
      ...['<|endoftext|>', '<|fim_prefix|>', '<|fim_middle|>', '<|fim_suffix|>'],
      ...['|||PHONE_NUMBER|||', '|||EMAIL_ADDRESS|||', '|||IP_ADDRESS|||', '<|im_start|>', '<|im_end|>'],
      ...[...numbered('<|extra_id_', 11).map(text => `${text}|>`), '<|endofprompt|>', '<|pad|>'],
    ],
    ids: { bos: '<|endoftext|>', eos: '<|endoftext|>', padding: '<|pad|>' },
    addBos: false,
    pieces,
  },
  /** microsoft/phi-4: GPT-4's splitting. */
  'phi-4': {
    model: 'gpt2',
    pre: 'dbrx',
    special: [
      ...['<|dummy_0|>', '<|endoftext|>', '<|fim_prefix|>', '<|fim_middle|>', '<|fim_suffix|>'],
      ...['<|im_start|>', '<|im_end|>', '<|im_sep|>', '<|endofprompt|>', '<|dummy_85|>'],
    ],
    ids: { bos: '<|endoftext|>', eos: '<|im_end|>', padding: '<|dummy_85|>' },
    addBos: false,
    pieces,
  },
} as const satisfies Record<string, SmallOptions>;

export type SmallName = keyof typeof vocabularies;

export const smallNames = Object.keys(vocabularies) as readonly SmallName[];

export function isSmall(name: string): name is SmallName {
  return name in vocabularies;
}

/** The vocabulary of that name, in small. */
export function smallVocabularyOf(name: SmallName): SmallVocabulary {
  return smallVocabulary(vocabularies[name]);
}
