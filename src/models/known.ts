import { MeditronError } from '../check/errors.js';
import { object } from '../check/options.js';
import { type FormatName, formatNames, type Task } from '../prompt/format/format.js';
import { knownFiles } from './hashes.js';

/** What is known of a model file. The more is given, the surer the choice; nothing is required. */
export interface ModelIdentity {
  /** Lower-case hex SHA-256 of the whole file. */
  readonly sha256?: string;
  /** The file's name, with or without folders. */
  readonly file?: string;
  /** `general.name` of its metadata. */
  readonly name?: string;
  /** `general.architecture`. */
  readonly architecture?: string;
  /** `tokenizer.chat_template`. */
  readonly chatTemplate?: string;
  /** Ids of the vocabulary's tokens by which models are told apart, as `<|im_start|>`, as far as it has them. */
  readonly tokens?: Readonly<Record<string, number>>;
}

/** How a model is asked, and how that is known. */
export interface FormatChoice {
  /** The prompt format to ask it with. */
  readonly format: FormatName;
  /** Examples for `few-shot`; 0 for all other formats. */
  readonly shots: number;
  /** The task a fine-tune was trained on, where its name says so. */
  readonly task?: Task;
  /** The model as recognised: `MEDITRON-7B, base weights`. */
  readonly model: string;
  /** What it was recognised by: the hash of the file, its vocabulary, or a name. */
  readonly by: 'hash' | 'vocabulary' | 'name';
  /** Where it is published that the model is asked so. */
  readonly source: string;
}

/** Token texts by which models are told apart. */
export const identityTokens = [
  '<|im_start|>',
  '<|im_end|>',
  '<|start_header_id|>',
  '<|eot_id|>',
  '<EOD>',
  '[bib_ref]',
] as const;

const paper = 'arXiv 2311.16079, Table 4; epfLLM/meditron README: the published weights are base models';
const base7b = { format: 'few-shot', shots: 3, model: 'MEDITRON-7B, base weights', source: paper } as const;
const base70b = { format: 'few-shot', shots: 5, model: 'MEDITRON-70B, base weights', source: paper } as const;
const chat7b = {
  format: 'alpaca',
  shots: 0,
  model: 'MEDITRON-7B-chat (community)',
  source: 'Hugging Face malhajar/meditron-7b-chat, model card',
} as const;
const meditron3 = {
  format: 'llama-3',
  shots: 0,
  model: 'MEDITRON on Llama-3',
  source: 'EPFLiGHT/meditron-apertus axolotl_config/meditron-3-8b.yaml: trained on Llama-3 chat',
} as const;
const taskTune = {
  format: 'chatml',
  shots: 0,
  model: 'task fine-tune of MEDITRON with chat tokens 32017 and 32018',
  source: 'epfLLM/Megatron-LLM tools/preprocess_instruct_data.py',
} as const;
const mini = {
  format: 'chatml',
  shots: 0,
  task: 'mcq',
  model: 'meditron-mini, trained by this project',
  source: 'the model card in models/',
} as const;

const miniName = /^meditron-mini\b/;

/** Names as they are in metadata and file names, lower case, owner and quantization removed. */
const names: readonly { readonly pattern: RegExp; readonly is: Omit<FormatChoice, 'by'>; readonly needs?: string }[] = [
  { pattern: miniName, is: mini, needs: '<|im_start|>' },
  { pattern: /^meditron-?7b$/, is: base7b },
  { pattern: /^meditron-?70b$/, is: base70b },
  { pattern: /^meditron-?7b-chat$/, is: chat7b },
  {
    pattern: /^(meditron-?3-(8b|70b)|llama-3(\.1)?-(8b|70b)-meditron|llama-3(\.1)?-meditron-(8b|70b))$/,
    is: meditron3,
    needs: '<|eot_id|>',
  },
];

/**
 * The prompt format of a model, by its file's hash, else by its vocabulary, else by its name. Whatever is not known is not
 * guessed: an unknown model, or one whose marks contradict each other, throws `ERR_PROMPT_FORMAT` with the choices.
 */
export function formatForModel(model: ModelIdentity): FormatChoice {
  object('model', model);
  const { sha256 } = model;
  const known = sha256 === undefined ? undefined : knownFiles[sha256.toLowerCase()];
  if (known)
    return { ...{ '7b': base7b, '7b-chat': chat7b, '70b': base70b }[known.model], by: 'hash', source: known.source };

  refuseKnownMisfits(model);
  const named = byName(model);
  if (named) return named;
  if (isTaskTune(model)) {
    const task = trainedTask(model);
    return { ...taskTune, by: 'vocabulary', ...(task ? { task } : {}) };
  }
  throw unknown(model, 'its prompt format is not known');
}

/** The model that ships, as it is called in what is said of its answers. */
export const demonstration = mini.model;

/** Whether one of these names, of a model's metadata or file, is that of {@link demonstration}, whatever format it is asked in. */
export function isDemonstration(names: readonly (string | null)[]): boolean {
  return names.some(name => name !== null && miniName.test(plainName(name)));
}

function byName(model: ModelIdentity): FormatChoice | undefined {
  const found = [model.name, model.file].flatMap(name => {
    const plain = name === undefined ? '' : plainName(name);
    return names.filter(({ pattern }) => pattern.test(plain));
  });
  const first = found[0];
  if (!first) return undefined;
  const other = found.find(({ is }) => is !== first.is);
  if (other) throw unknown(model, `its metadata says ${first.is.model}, its file name ${other.is.model}`);
  if (first.needs !== undefined && model.tokens && model.tokens[first.needs] === undefined) {
    throw unknown(model, `it is named as ${first.is.model}, but its vocabulary has no ${first.needs}`);
  }
  if (first.is.format === 'few-shot' && looksTuned(model)) {
    throw unknown(model, `its names say ${first.is.model} and a fine-tune of it`);
  }
  // A base model's name on a file with chat tokens or a chat template: a fine-tune that kept the name.
  if (first.is.format === 'few-shot' && (hasChatTokens(model) || model.chatTemplate !== undefined)) {
    throw unknown(
      model,
      `it is named as ${first.is.model}, but has ${hasChatTokens(model) ? 'chat tokens' : 'a chat template'}`,
    );
  }
  return { ...first.is, by: 'name' };
}

/** Chat tokens where Megatron-LLM puts them, and no template that says they are used for other roles. */
function isTaskTune({ tokens, architecture, chatTemplate }: ModelIdentity): boolean {
  if (tokens?.['<|im_start|>'] !== 32017 || tokens['<|im_end|>'] !== 32018) return false;
  if (architecture !== undefined && architecture !== 'llama') return false;
  return chatTemplate === undefined || (chatTemplate.includes('question') && chatTemplate.includes('answer'));
}

function trainedTask({ name, file }: ModelIdentity): Task | undefined {
  const text = `${name ?? ''} ${file ?? ''}`.toLowerCase();
  const found = (['medmcqa', 'pubmedqa', 'medqa'] as const).filter(task => text.includes(task));
  return found.length === 1 ? found[0] : undefined;
}

function refuseKnownMisfits(model: ModelIdentity): void {
  const text = `${model.name ?? ''} ${model.file ?? ''}`.toLowerCase();
  if (/stories-?(260k|15m|42m|110m)/.test(text)) {
    throw unknown(
      model,
      "it was trained on children's stories and cannot answer medical questions; it is here for raw completion",
    );
  }
  if (/meditron-?(3|fo)/.test(text) && /qwen|gemma|phi|apertus|olmo|eurollm/.test(text)) {
    throw unknown(model, 'it is prompted by its own template; ask for the format jinja');
  }
}

/** A word in either name that base weights do not have. */
function looksTuned({ name, file }: ModelIdentity): boolean {
  const words = `${name ?? ''} ${file?.replace(/^.*[/\\]/, '') ?? ''}`.toLowerCase();
  return /chat|instruct|tune|sft|dpo|lora|orca|medical|medqa|medmcqa|pubmedqa/.test(words);
}

function hasChatTokens({ tokens }: ModelIdentity): boolean {
  return tokens?.['<|im_start|>'] !== undefined;
}

/** `epfl-llm_Meditron-7B.Q4_K_M.gguf` -> `meditron-7b`. */
export function plainName(name: string): string {
  return name
    .replace(/^.*[/\\]/, '')
    .toLowerCase()
    .replace(/\.gguf$/, '')
    .replace(/-\d{5}-of-\d{5}$/, '')
    .replace(/[-._](i?q\d\w*|f16|f32|bf16)$/, '')
    .replace(/[_ ]/g, '-')
    .replace(/^(epfl-llm|malhajar|epflight|openmeditron)-/, '');
}

function unknown({ name, file }: ModelIdentity, why: string): MeditronError {
  const what = [name, file?.replace(/^.*[/\\]/, '')]
    .filter(Boolean)
    .map(text => JSON.stringify(text))
    .join(', ');
  return new MeditronError(
    'ERR_PROMPT_FORMAT',
    `No prompt format was chosen for this model${what ? ` (${what})` : ''}: ${why}. A wrong format gives wrong answers without ` +
      `any error, so none is guessed. Choose one: ${formatNames.join(', ')}`,
  );
}
