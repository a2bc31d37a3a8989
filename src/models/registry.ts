import type { FormatName, Task } from '../prompt/format/format.js';
import { type ModelBase, madeFrom } from './bases.js';
import type { publishedShapes } from './shapes.js';

/** A repository with GGUF files of a model. */
export interface GgufSource {
  /** Owner and name on Hugging Face. */
  readonly repository: string;
  /** What its files are called, with `{quantization}` in place of `Q4_K_M`; null if it is not known. */
  readonly file: string | null;
  /** What has to be said of them. */
  readonly note?: string;
}

/** What is published of a model, as far as it was read; what was not is in `unknown`. */
export interface ModelFacts {
  /** The name it goes by in commands: `meditron3-8b`. */
  readonly id: string;
  /** As in a sentence: `MEDITRON-7B, base weights`. */
  readonly title: string;
  /** Of the MEDITRON family, a model that others made, or this project's own. */
  readonly line: 'meditron' | 'neighbour' | 'own';
  /** What it was made from. */
  readonly base: ModelBase;
  /** `general.architecture` of its files. */
  readonly architecture: string;
  /** Owner and name under which its weights are published on Hugging Face; null if they are not there. */
  readonly repository: string | null;
  /** Where GGUF files of it were seen. Empty: convert it yourself (docs/models.md). */
  readonly gguf: readonly GgufSource[];
  /** What it was trained to do, in a few words. */
  readonly trainedFor: string;
  /** Tokens it was trained on at once, which may be fewer than its file says; null if that is not known. */
  readonly trainedContext: {
    /** How many. */
    readonly tokens: number;
    /** Where that is published. */
    readonly source: string;
  } | null;
  /** How its makers sample it; null if they do not say. */
  readonly sampling: {
    /** Divides the logits; 0 takes the most probable token. */
    readonly temperature: number;
    /** The most tokens of an answer, where they say so. */
    readonly maxTokens?: number;
    /** Where they say it. */
    readonly source: string;
  } | null;
  /** Under what its weights may be used. */
  readonly licence: string;
  /** What was not found out. */
  readonly unknown: readonly string[];
}

/** A model that is known by name, and how it is asked. */
export interface KnownModel extends ModelFacts {
  /** Matches its names and no others, as `plainName` writes them. */
  readonly pattern: RegExp;
  /** The prompt format it was trained in; null if none here is: `refusal` then says why. */
  readonly format: FormatName | null;
  /** Worked examples that it is shown in `few-shot`; 0 in all other formats. */
  readonly shots: number;
  /** The task whose instruction it was trained on, if it was one. */
  readonly task?: Task;
  /** Where it is published that it is asked so. */
  readonly source: string;
  /** Tokens without which a vocabulary is not this model's. */
  readonly needs: readonly string[];
  /** Its layers and widths, where they were found. */
  readonly shape?: keyof typeof publishedShapes;
  /** Why no format is its own, and what stands nearest, in a clause. */
  readonly refusal?: string;
}

// Words that stand at several models.

const researchOnly = 'question answering and reasoning in medicine; for research, not validated for medical use';
const medicine = 'instructions and questions in medicine';
const instructions = 'instructions of every kind; not tuned for medicine';

const llama3Licence = 'Llama 3 Community Licence';
const llama31Licence = 'Llama 3.1 Community Licence';

const noSampling = 'how its makers sample it';
const noTraining = 'on how many tokens at once it was tuned';
const noGguf = 'a GGUF file that somebody has published';
const replaced = 'which of two publications under this name a file is: its weights were replaced on 2026-10-06';

// How all models on one base are asked.

function on(
  base: ModelBase,
  format: FormatName,
  source: string,
  needs: readonly string[],
): Pick<KnownModel, 'base' | 'architecture' | 'format' | 'shots' | 'source' | 'needs'> {
  return { ...madeFrom(base), format, shots: 0, source, needs };
}

const chatmlTokens = ['<|im_start|>', '<|im_end|>'];
const turnTokens = ['<start_of_turn>', '<end_of_turn>'];
const gemmaSource =
  'google/gemma-2-2b-it tokenizer_config.json, as in llama.cpp models/templates; Gemma 3 the same but for the system text';

const onApertus = on(
  'apertus',
  'apertus',
  'swiss-ai/Apertus-8B-Instruct-2509 chat template, as in llama.cpp models/templates',
  ['<|user_start|>', '<|user_end|>', '<|assistant_start|>', '<|assistant_end|>'],
);
const onEuro = on('eurollm', 'eurollm', 'EPFLiGHT/FullyOpenMeditron training file: chat_template chatml', chatmlTokens);
const onGemma2 = {
  ...on('gemma-2', 'gemma', gemmaSource, turnTokens),
  trainedContext: { tokens: 8192, source: 'google/gemma_pytorch, gemma/config.py' },
  licence: 'Gemma Terms of Use',
};
const onGemma3 = on('gemma-3', 'gemma', gemmaSource, turnTokens);
const onLlama3 = on('llama-3', 'llama-3', 'meta-llama/llama3 llama/tokenizer.py (ChatFormat)', [
  '<|eot_id|>',
  '<|start_header_id|>',
]);
// The markers of its turns are plain text: its vocabulary has no tokens to look for.
const onOlmo = on('olmo-2', 'olmo', 'allenai/OLMo-2-1124-7B-SFT tokenizer_config.json', []);
const onPhi4 = {
  ...on('phi-4', 'phi-4', 'microsoft/phi-4 tokenizer_config.json', ['<|im_sep|>', ...chatmlTokens]),
  trainedContext: { tokens: 16_384, source: 'config.json of microsoft/phi-4' },
  shape: 'phi-4',
} as const;
const onQwen = on(
  'qwen-2.5',
  'qwen',
  'Qwen/Qwen2.5-7B-Instruct tokenizer_config.json, as in llama.cpp models/templates',
  chatmlTokens,
);

// What all models of one publication have in common.

/** MEDITRON of November 2023: base weights. */
const meditron = {
  line: 'meditron',
  ...madeFrom('llama-2'),
  format: 'few-shot',
  trainedFor: 'continuing medical text; base weights, neither instruction-tuned nor aligned',
  sampling: { temperature: 0.8, source: 'arXiv 2311.16079: five samples in self-consistency' },
  licence: 'Llama 2 Community Licence',
  source: 'arXiv 2311.16079, Table 4; epfLLM/meditron README: the published weights are base models',
  needs: [],
} as const;

/** Meditron3, 2024 and 2025. */
const meditron3 = {
  line: 'meditron',
  trainedFor: `${researchOnly}; its card calls it not instruction-tuned, its recipe trains conversations`,
  sampling: null,
} as const;
const meditron3OnLlama = {
  ...meditron3,
  ...onLlama3,
  trainedContext: { tokens: 8192, source: 'EPFLiGHT/meditron-apertus axolotl_config/meditron-3-8b.yaml' },
  licence: llama31Licence,
  source: 'EPFLiGHT/meditron-apertus axolotl_config/meditron-3-8b.yaml: trained on Llama-3 chat',
} as const;

/** MeditronFO, May 2026. */
const fo = {
  line: 'meditron',
  gguf: [],
  trainedFor: `${researchOnly}; tuned on one user turn and its answer`,
  trainedContext: { tokens: 4096, source: 'arXiv 2605.16215' },
  sampling: {
    temperature: 0.7,
    maxTokens: 2048,
    source:
      "LiGHT's own chat, which found answers cut short at 1.0; the models' cards and benchmarks decode greedily (0)",
  },
} as const;

/** Models of others. */
const neighbour = { line: 'neighbour', gguf: [], sampling: null } as const;

/**
 * Every model that is known by name: the MEDITRON family as its makers publish it, and others that stand beside it in a second opinion.
 * Facts are those of their cards, papers and training files; nothing is made up where they are silent.
 */
export const registry: readonly KnownModel[] = [
  {
    ...meditron,
    id: 'meditron-7b',
    title: 'MEDITRON-7B, base weights',
    pattern: /^meditron-?7b(-v1(\.0)?)?$/,
    shots: 3,
    repository: 'epfl-llm/meditron-7b',
    gguf: [
      {
        repository: 'TheBloke/meditron-7B-GGUF',
        file: 'meditron-7b.{quantization}.gguf',
        note: 'its page names ChatML, which the vocabulary lacks',
      },
      { repository: 'QuantFactory/meditron-7b-GGUF', file: null },
    ],
    trainedContext: { tokens: 2048, source: 'arXiv 2311.16079, section 4.1' },
    unknown: ['whether a BOS helps it'],
    shape: 'meditron-7b',
  },
  {
    ...meditron,
    id: 'meditron-7b-chat',
    title: 'MEDITRON-7B-chat (community)',
    pattern: /^meditron-?7b-chat$/,
    format: 'alpaca',
    shots: 0,
    repository: 'malhajar/meditron-7b-chat',
    gguf: [{ repository: 'TheBloke/meditron-7B-chat-GGUF', file: 'meditron-7b-chat.{quantization}.gguf' }],
    trainedFor: 'instructions; a tune by the community, not by MEDITRON’s authors',
    trainedContext: { tokens: 2048, source: 'MEDITRON-7B, its base' },
    sampling: null,
    source: 'Hugging Face malhajar/meditron-7b-chat, model card',
    unknown: [noSampling, 'what its tune was trained on'],
    shape: 'meditron-7b',
  },
  {
    ...meditron,
    id: 'meditron-70b-chat',
    title: 'MEDITRON-70B-chat (community)',
    pattern: /^meditron-?70b-chat$/,
    format: null,
    refusal: 'how it was tuned to be asked was not found; the 7B by the same hand is asked as alpaca',
    shots: 0,
    repository: 'malhajar/meditron-70b-chat',
    gguf: [],
    trainedFor: 'instructions; a tune by the community, not by MEDITRON’s authors',
    trainedContext: { tokens: 4096, source: 'MEDITRON-70B, its base' },
    sampling: null,
    unknown: ['how it is asked', noSampling, 'what its tune was trained on'],
    shape: 'meditron-70b',
  },
  {
    ...meditron,
    id: 'meditron-70b',
    title: 'MEDITRON-70B, base weights',
    pattern: /^meditron-?70b(-v1(\.0)?)?$/,
    shots: 5,
    repository: 'epfl-llm/meditron-70b',
    gguf: [
      {
        repository: 'TheBloke/meditron-70B-GGUF',
        file: 'meditron-70b.{quantization}.gguf',
        note: 'Q6_K and Q8_0 are in two pieces to be joined',
      },
    ],
    trainedContext: { tokens: 4096, source: 'arXiv 2311.16079, section 4.1' },
    unknown: ['whether a BOS helps it'],
    shape: 'meditron-70b',
  },
  {
    ...meditron3OnLlama,
    id: 'meditron3-8b',
    title: 'MEDITRON on Llama-3, 8B (Meditron3-8B)',
    pattern: /^((llama-?3([.-]1)?-)?meditron-?3-8b|llama-?3([.-]1)?-(8b-meditron|meditron-8b))(-?v1([.-]0)?)?$/,
    repository: 'OpenMeditron/Meditron3-8B',
    gguf: [
      { repository: 'QuantFactory/Meditron3-8B-GGUF', file: 'Meditron3-8B.{quantization}.gguf' },
      { repository: 'mradermacher/Meditron3-8B-GGUF', file: 'Meditron3-8B.{quantization}.gguf' },
      { repository: 'mradermacher/Meditron3-8B-i1-GGUF', file: 'Meditron3-8B.i1-{quantization}.gguf' },
    ],
    unknown: [noSampling, 'which revision a file is: the weights were updated in 2026-06'],
    shape: 'llama-3-8b',
  },
  {
    ...meditron3OnLlama,
    id: 'meditron3-70b',
    title: 'MEDITRON on Llama-3, 70B (Meditron3-70B)',
    pattern: /^((llama-?3([.-]1)?-)?meditron-?3-70b|llama-?3([.-]1)?-(70b-meditron|meditron-70b))(-?v1([.-]0)?)?$/,
    repository: 'OpenMeditron/Meditron3-70B',
    gguf: [{ repository: 'mradermacher/Meditron3-70B-GGUF', file: 'Meditron3-70B.{quantization}.gguf' }],
    unknown: [noSampling],
    shape: 'llama-3-70b',
  },
  ...(['7b', '14b'] as const).map(
    (size): KnownModel => ({
      ...meditron3,
      ...onQwen,
      id: `meditron3-qwen2.5-${size}`,
      title: `MEDITRON on Qwen2.5, ${size.toUpperCase()} (Meditron3-Qwen2.5-${size.toUpperCase()})`,
      pattern: new RegExp(`^meditron-?3-qwen-?2[.-]5-${size}$`),
      repository: `OpenMeditron/Meditron3-Qwen2.5-${size.toUpperCase()}`,
      gguf: [],
      trainedContext: null,
      licence: 'Apache 2.0 for the base; its card names Qwen’s',
      unknown: [noTraining, noSampling, noGguf, 'whether its system text is the base’s'],
      shape: `qwen2.5-${size}`,
    }),
  ),
  ...(['2b', '9b'] as const).map(
    (size): KnownModel => ({
      ...meditron3,
      ...onGemma2,
      id: `meditron3-gemma2-${size}`,
      title: `MEDITRON on Gemma 2, ${size.toUpperCase()} (Meditron3-Gemma2-${size.toUpperCase()})`,
      pattern: new RegExp(`^meditron-?3-gemma-?2-${size}$`),
      repository: `OpenMeditron/Meditron3-Gemma2-${size.toUpperCase()}`,
      gguf: [],
      unknown: [noSampling, noGguf],
      shape: `gemma2-${size}`,
    }),
  ),
  {
    ...meditron3,
    ...onPhi4,
    id: 'meditron3-phi4-14b',
    title: 'MEDITRON on Phi-4, 14B (Meditron3-Phi4-14B)',
    pattern: /^meditron-?3-phi-?4(-14b)?$/,
    repository: 'OpenMeditron/Meditron3-Phi4-14B',
    gguf: [{ repository: 'mradermacher/Meditron3-Phi4-14B-GGUF', file: 'Meditron3-Phi4-14B.{quantization}.gguf' }],
    licence: 'MIT for the base',
    unknown: [noSampling],
  },
  ...(['8b', '70b'] as const).map(
    (size): KnownModel => ({
      ...fo,
      ...onApertus,
      id: `apertus-${size}-meditronfo`,
      title: `MEDITRON on Apertus, ${size.toUpperCase()} (Apertus-${size.toUpperCase()}-MeditronFO)`,
      pattern: new RegExp(`^apertus-${size}(-instruct(-2509)?)?-meditron-?fo$`),
      repository: `EPFLiGHT/Apertus-${size.toUpperCase()}-MeditronFO`,
      licence: 'Apache 2.0',
      unknown: [noGguf, ...(size === '8b' ? [replaced] : [])],
      shape: `apertus-${size}`,
    }),
  ),
  ...(['9b', '22b'] as const).map(
    (size): KnownModel => ({
      ...fo,
      ...onEuro,
      id: `eurollm-${size}-meditronfo`,
      title: `MEDITRON on EuroLLM, ${size.toUpperCase()} (EuroLLM-${size.toUpperCase()}-MeditronFO)`,
      pattern: new RegExp(`^eurollm-${size}(-instruct)?-meditron-?fo$`),
      repository: `EPFLiGHT/EuroLLM-${size.toUpperCase()}-MeditronFO`,
      licence: size === '9b' ? 'Apache 2.0' : 'not read',
      unknown: [noGguf, ...(size === '22b' ? ['its licence'] : [])],
      shape: `eurollm-${size}`,
    }),
  ),
  {
    ...fo,
    ...onOlmo,
    id: 'olmo-2-32b-meditronfo',
    title: 'MEDITRON on OLMo 2, 32B (OLMo-2-32B-MeditronFO)',
    pattern: /^olmo-?2(-0325)?-32b(-sft|-instruct)?-meditron-?fo$/,
    repository: 'EPFLiGHT/OLMo-2-32B-MeditronFO',
    licence: 'that of its base, allenai/OLMo-2-0325-32B-SFT',
    unknown: [noGguf],
    shape: 'olmo2-32b',
  },
  {
    ...fo,
    ...onGemma3,
    id: 'gemma-3-27b-meditronfo',
    title: 'MEDITRON on Gemma 3, 27B (Gemma-3-27B-MeditronFO)',
    pattern: /^gemma-?3-27b(-it)?-meditron-?fo$/,
    repository: 'EPFLiGHT/Gemma-3-27B-MeditronFO',
    licence: 'Gemma Terms of Use',
    unknown: [noGguf],
    shape: 'gemma3-27b',
  },
  {
    id: 'meditron-mini',
    title: 'meditron-mini, trained by this project',
    line: 'own',
    ...madeFrom('meditron-mini'),
    pattern: /^meditron-mini\b/,
    format: 'chatml',
    shots: 0,
    task: 'mcq',
    repository: null,
    gguf: [],
    trainedFor:
      'adding up six clinical scores of invented patients, in texts below 900 tokens; a demonstration that knows nothing else',
    trainedContext: null, // as its file says
    sampling: { temperature: 0.8, source: 'the model card in models/' },
    licence: 'MIT',
    source: 'the model card in models/',
    needs: ['<|im_start|>'],
    unknown: [],
  },

  {
    ...neighbour,
    ...onGemma3,
    id: 'medgemma',
    title: 'MedGemma (Google)',
    pattern: /^(google-)?medgemma-(1[.-]5-)?(4b|27b)(-text)?-it$/,
    repository: 'google/medgemma-27b-text-it',
    trainedFor: `${medicine}; images are not read here`,
    trainedContext: { tokens: 131_072, source: 'its card: at least 128K tokens' },
    licence: 'Health AI Developer Foundations terms',
    unknown: [noSampling],
  },
  {
    ...neighbour,
    ...onLlama3,
    id: 'med42-v2',
    title: 'Med42-v2 (M42 Health)',
    pattern: /^(m42-health-)?(llama-?3-med42-(8b|70b)|med42-v2-(8b|70b)|llama-?3-med42-v2-(8b|70b))$/,
    repository: 'm42-health/Llama3-Med42-8B',
    gguf: [{ repository: 'QuantFactory/Llama3-Med42-8B-GGUF', file: 'Llama3-Med42-8B.{quantization}.gguf' }],
    trainedFor: medicine,
    trainedContext: { tokens: 8192, source: 'its card' },
    licence: llama3Licence,
    unknown: [noSampling],
  },
  {
    ...neighbour,
    id: 'med42-v1',
    title: 'Med42-70B of 2023 (M42 Health)',
    ...madeFrom('llama-2'),
    pattern: /^(m42-health-)?med42-70b$/,
    format: null,
    shots: 0,
    refusal: 'its turns are <|system|>:, <|prompter|>: and <|assistant|>:, which no format here writes',
    repository: 'm42-health/med42-70b',
    trainedFor: medicine,
    trainedContext: { tokens: 4096, source: 'config.json of Llama 2' },
    licence: 'M42 Health licence',
    source: 'epfLLM/meditron evaluation/inference.py (format_prompt)',
    needs: [],
    unknown: [noSampling],
  },
  {
    ...neighbour,
    ...onLlama3,
    id: 'openbiollm',
    title: 'OpenBioLLM (Saama)',
    pattern: /^(aaditya-)?(llama-?3-openbiollm-(8b|70b)|openbiollm-llama-?3-(8b|70b)|openbiollm-(8b|70b))$/,
    repository: 'aaditya/Llama3-OpenBioLLM-8B',
    gguf: [
      { repository: 'aaditya/OpenBioLLM-Llama3-8B-GGUF', file: 'openbiollm-llama3-8b.{quantization}.gguf' },
      { repository: 'bartowski/OpenBioLLM-Llama3-8B-GGUF', file: 'OpenBioLLM-Llama3-8B-{quantization}.gguf' },
    ],
    trainedFor: medicine,
    trainedContext: { tokens: 8192, source: 'meta-llama/llama3, its base' },
    licence: llama3Licence,
    unknown: [noSampling, noTraining],
  },
  {
    ...neighbour,
    id: 'biomistral',
    title: 'BioMistral',
    ...madeFrom('mistral'),
    pattern: /^(biomistral-)?biomistral-7b(-(dare|ties|slerp))?$/,
    format: 'mistral',
    shots: 0,
    repository: 'BioMistral/BioMistral-7B',
    trainedFor: 'further biomedical text after Mistral-7B-Instruct, whose turns it keeps',
    trainedContext: { tokens: 2048, source: 'its card' },
    licence: 'Apache 2.0',
    source: 'mistralai/Mistral-7B-Instruct-v0.1 tokenizer_config.json; BioMistral/BioMistral-7B, model card',
    needs: [],
    unknown: [noSampling],
  },
  {
    ...neighbour,
    id: 'pmc-llama-13b',
    title: 'PMC-LLaMA 13B',
    ...madeFrom('llama'),
    pattern: /^(axiong-)?pmc-?llama-13b$/,
    format: 'pmc-llama',
    shots: 0,
    repository: 'axiong/PMC_LLaMA_13B',
    trainedFor: medicine,
    trainedContext: { tokens: 2048, source: 'Llama, its base' },
    licence: 'not read',
    source: 'Hugging Face axiong/PMC_LLaMA_13B, model card',
    needs: [],
    unknown: [noSampling, 'its licence'],
  },
  {
    ...neighbour,
    id: 'pmc-llama-7b',
    title: 'PMC-LLaMA 7B',
    ...madeFrom('llama'),
    pattern: /^(chaoyi-wu-)?pmc-?llama-7b$/,
    format: null,
    shots: 0,
    refusal: 'it was trained on plain text and not tuned; raw and few-shot are plain text',
    repository: 'chaoyi-wu/PMC_LLAMA_7B',
    trainedFor: 'continuing medical text',
    trainedContext: { tokens: 2048, source: 'Llama, its base' },
    licence: 'not read',
    source: 'chaoyi-wu/PMC-LLaMA, README',
    needs: [],
    unknown: [noSampling, 'its licence'],
  },
  {
    ...neighbour,
    ...onLlama3,
    id: 'llama-3-instruct',
    title: 'Llama 3 Instruct (Meta)',
    pattern: /^(meta-llama-)?(meta-)?llama-?3-(8b|70b)-instruct$/,
    repository: 'meta-llama/Meta-Llama-3-8B-Instruct',
    trainedFor: instructions,
    trainedContext: { tokens: 8192, source: 'meta-llama/llama3' },
    licence: llama3Licence,
    unknown: [],
  },
  {
    ...neighbour,
    ...onLlama3,
    format: 'llama-3.1',
    source: 'meta-llama/Llama-3.1-8B-Instruct tokenizer_config.json, as in llama.cpp models/templates',
    id: 'llama-3.1-instruct',
    title: 'Llama 3.1, 3.2 or 3.3 Instruct (Meta)',
    pattern: /^(meta-llama-)?(meta-)?llama-?3[.-](1-(8b|70b|405b)|2-(1b|3b)|3-70b)-instruct$/,
    repository: 'meta-llama/Llama-3.1-8B-Instruct',
    trainedFor: instructions,
    trainedContext: { tokens: 131_072, source: 'meta-llama/llama-models, models/llama3_1' },
    licence: llama31Licence,
    unknown: [],
  },
  {
    ...neighbour,
    ...onQwen,
    id: 'qwen2.5-instruct',
    title: 'Qwen2.5 Instruct (Alibaba)',
    pattern: /^(qwen-)?qwen-?2[.-]5-(0[.-]5b|1[.-]5b|3b|7b|14b|32b|72b)-instruct$/,
    repository: 'Qwen/Qwen2.5-7B-Instruct',
    trainedFor: instructions,
    trainedContext: { tokens: 32_768, source: 'config.json of Qwen/Qwen2.5-7B-Instruct' },
    licence: 'Apache 2.0, of some sizes Qwen’s own',
    unknown: [],
  },
  {
    ...neighbour,
    ...onGemma2,
    id: 'gemma-2-it',
    title: 'Gemma 2 (Google)',
    pattern: /^(google-)?gemma-?2-(2b|9b|27b)-(it|instruct)$/,
    repository: 'google/gemma-2-9b-it',
    trainedFor: instructions,
    unknown: [],
  },
  {
    ...neighbour,
    ...onGemma3,
    id: 'gemma-3-it',
    title: 'Gemma 3 (Google)',
    pattern: /^(google-)?gemma-?3-(270m|1b|4b|12b|27b)-(it|instruct)$/,
    repository: 'google/gemma-3-27b-it',
    trainedFor: `${instructions}; images are not read here`,
    trainedContext: null,
    licence: 'Gemma Terms of Use',
    unknown: [noTraining],
  },
  {
    ...neighbour,
    ...onPhi4,
    id: 'phi-4',
    title: 'Phi-4 (Microsoft)',
    pattern: /^(microsoft-)?phi-?4(-14b)?$/,
    repository: 'microsoft/phi-4',
    trainedFor: instructions,
    licence: 'MIT',
    unknown: [],
  },
  {
    ...neighbour,
    ...onApertus,
    id: 'apertus-instruct',
    title: 'Apertus Instruct (Swiss AI)',
    pattern: /^(swiss-ai-)?apertus-(8b|70b)-instruct(-2509)?$/,
    repository: 'swiss-ai/Apertus-8B-Instruct-2509',
    trainedFor: instructions,
    trainedContext: { tokens: 65_536, source: 'arXiv 2509.14233' },
    licence: 'Apache 2.0',
    unknown: [],
  },
  {
    ...neighbour,
    ...onEuro,
    id: 'eurollm-instruct',
    title: 'EuroLLM Instruct (UTTER), 1.7B and 9B',
    pattern: /^(utter-project-)?eurollm-(1[.-]7b|9b)-instruct$/,
    repository: 'utter-project/EuroLLM-9B-Instruct',
    gguf: [{ repository: 'QuantFactory/EuroLLM-9B-Instruct-GGUF', file: 'EuroLLM-9B-Instruct.{quantization}.gguf' }],
    trainedFor: instructions,
    trainedContext: { tokens: 4096, source: 'config.json of utter-project/EuroLLM-9B-Instruct' },
    licence: 'Apache 2.0',
    unknown: [],
  },
  {
    ...neighbour,
    ...onEuro,
    id: 'eurollm-22b-instruct',
    title: 'EuroLLM Instruct (UTTER), 22B',
    pattern: /^(utter-project-)?eurollm-22b-instruct(-2512)?$/,
    repository: 'utter-project/EuroLLM-22B-Instruct-2512',
    trainedFor: instructions,
    trainedContext: { tokens: 32_768, source: 'its card' },
    licence: 'Apache 2.0',
    unknown: [noSampling],
  },
  {
    ...neighbour,
    ...onOlmo,
    id: 'olmo-2-instruct',
    title: 'OLMo 2 Instruct or SFT (Allen AI)',
    pattern: /^(allenai-)?olmo-?2-((0425-)?1b|(1124-)?(7b|13b)|(0325-)?32b)-(sft|dpo|instruct)$/,
    repository: 'allenai/OLMo-2-0325-32B-SFT',
    trainedFor: instructions,
    trainedContext: { tokens: 4096, source: 'config.json of allenai/OLMo-2-0325-32B' },
    licence: 'Apache 2.0',
    unknown: [],
  },
];

/** The model of that id. */
export function modelOf(id: string): KnownModel {
  return registry.find(model => model.id === id)!;
}
