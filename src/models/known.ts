import { MeditronError } from '../check/errors.js';
import { integer, object, string } from '../check/options.js';
import { type FormatName, formatNames, type Task } from '../prompt/format/format.js';
import { tokensOfOthers } from './bases.js';
import { knownFiles } from './hashes.js';
import { plainName } from './names.js';
import { type KnownModel, type ModelFacts, modelOf, registry } from './registry.js';
import { publishedShapes } from './shapes.js';
import { readTemplate, type TemplateFinding } from './template.js';

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
  /** Text of the token that begins a text, which the chat template may write. */
  readonly bosToken?: string;
  /** Text of the token that ends a text, which the chat template may write. */
  readonly eosToken?: string;
  /** Transformer blocks. */
  readonly layers?: number;
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
  /** What it was recognised by: the hash of the file, its vocabulary, its own chat template, or a name. */
  readonly by: 'hash' | 'vocabulary' | 'template' | 'name';
  /** Where it is published that the model is asked so. */
  readonly source: string;
  /** Everything that speaks for it, the surest first, a sentence each without its full stop. */
  readonly reasons: readonly string[];
  /** What speaks against it, and what was not met: to be told with every answer. */
  readonly warnings: readonly string[];
  /** What is published of the model; null where it is known how it is asked, but not which it is. */
  readonly facts: ModelFacts | null;
}

/** Token texts by which models are told apart. */
export const identityTokens = [
  ...['<|im_start|>', '<|im_end|>', '<|im_sep|>'],
  ...['<|start_header_id|>', '<|eot_id|>'],
  ...['<start_of_turn>', '<end_of_turn>'],
  ...['<|user_start|>', '<|user_end|>', '<|assistant_start|>', '<|assistant_end|>'],
  ...['<EOD>', '[bib_ref]'],
] as const;

const taskTune = {
  format: 'chatml',
  shots: 0,
  model: 'task fine-tune of MEDITRON with chat tokens 32017 and 32018',
  source: 'epfLLM/Megatron-LLM tools/preprocess_instruct_data.py',
} as const;

/**
 * The prompt format of a model: by its file's hash, else by a name that neither architecture, vocabulary nor template contradicts, else by its
 * vocabulary or by what its own chat template writes. Whatever is not known is not guessed: an unknown model, or one whose marks contradict each
 * other, throws `ERR_PROMPT_FORMAT` with the choices. A template that writes otherwise than the format of the model's name is a warning; one that
 * writes as another format does is refused.
 */
export function formatForModel(model: ModelIdentity): FormatChoice {
  checkIdentity(model);
  const { sha256 } = model;
  const hashed = sha256 === undefined ? undefined : knownFiles[sha256.toLowerCase()];
  if (hashed) {
    const reason = `The SHA-256 of its file is that of ${hashed.source}`;
    return { ...choiceOf(modelOf(`meditron-${hashed.model}`)), by: 'hash', source: hashed.source, reasons: [reason] };
  }
  refuseStories(model);
  const template =
    model.chatTemplate === undefined
      ? undefined
      : readTemplate(model.chatTemplate, { bos: model.bosToken, eos: model.eosToken });
  return byName(model, template) ?? byVocabulary(model) ?? byTemplate(template) ?? refuse(model, template);
}

/** @throws MeditronError `ERR_OPTION` */
function checkIdentity(model: ModelIdentity): void {
  object('model', model);
  for (const key of ['sha256', 'file', 'name', 'architecture', 'chatTemplate', 'bosToken', 'eosToken'] as const)
    if (model[key] !== undefined) string(`model.${key}`, model[key]);
  const { tokens, layers } = model;
  if (layers !== undefined) integer('model.layers', layers, 0, Number.MAX_SAFE_INTEGER);
  if (tokens !== undefined)
    for (const [text, id] of Object.entries(object('model.tokens', tokens)))
      integer(`model.tokens[${JSON.stringify(text)}]`, id, 0, Number.MAX_SAFE_INTEGER);
}

/**
 * What is published of a model, however it is asked; null if it is not known which it is, or its marks contradict each other. One that no
 * format here is known for is told by its name and architecture.
 */
export function factsFor(model: ModelIdentity): ModelFacts | null {
  try {
    return formatForModel(model).facts;
  } catch (error) {
    if (!(error instanceof MeditronError)) throw error;
    const known = modelNamed([model.name, model.file]);
    const other = model.architecture !== undefined && model.architecture !== known?.architecture;
    return known?.format !== null || other ? null : factsOf(known);
  }
}

/** What a model file, or whoever serves the model, says of it. */
export interface SaidOfModel {
  readonly path: string;
  readonly name: string | null;
  readonly architecture: string | null;
  readonly chatTemplate: string | null;
  readonly layers?: number | null;
  readonly specialTokens: Readonly<Record<string, { readonly text: string | null } | undefined>>;
}

/** The same as {@link formatForModel} takes it; `tokens` are those of {@link identityTokens} that the vocabulary has. */
export function identityOf(said: SaidOfModel, tokens: Readonly<Record<string, number>>): ModelIdentity {
  const { path, name, architecture, chatTemplate, layers, specialTokens } = said;
  const [bosToken, eosToken] = [specialTokens.bos?.text, specialTokens.eos?.text];
  return {
    ...{ file: path, tokens },
    ...(name !== null && { name }),
    ...(architecture !== null && { architecture }),
    ...(chatTemplate !== null && { chatTemplate }),
    ...(layers != null && { layers }),
    ...(bosToken != null && { bosToken }),
    ...(eosToken != null && { eosToken }),
  };
}

/** The model that has one of these names, of a model's metadata or file; undefined where none or several are known. */
export function modelNamed(names: readonly (string | null | undefined)[]): KnownModel | undefined {
  const found = new Set(names.flatMap(name => namedBy(name ?? undefined) ?? []));
  return found.size === 1 ? [...found][0] : undefined;
}

/** The model that ships, as it is called in what is said of its answers. */
export const demonstration = modelOf('meditron-mini').title;

/** Whether one of these names, of a model's metadata or file, is that of {@link demonstration}, whatever format it is asked in. */
export function isDemonstration(names: readonly (string | null)[]): boolean {
  return names.some(name => namedBy(name ?? undefined)?.id === 'meditron-mini');
}

/** What {@link FormatChoice} says of a model that is known, without how it was recognised. */
function choiceOf(known: KnownModel): Omit<FormatChoice, 'by' | 'reasons'> {
  const { format, shots, task, title, source } = known;
  return {
    ...{ format: format!, shots, model: title, source, warnings: [], facts: factsOf(known) },
    ...(task !== undefined && { task }),
  };
}

/** What is published of a model, without how it is recognised. */
export function factsOf({
  pattern,
  format,
  shots,
  task,
  source,
  needs,
  shape,
  refusal,
  ...facts
}: KnownModel): ModelFacts {
  return facts;
}

function namedBy(name: string | undefined): KnownModel | undefined {
  if (name === undefined) return undefined;
  const plain = plainName(name);
  return registry.find(({ pattern }) => pattern.test(plain));
}

function byName(model: ModelIdentity, template: TemplateFinding | undefined): FormatChoice | undefined {
  const [inside, outside] = [namedBy(model.name), namedBy(model.file)];
  const known = inside ?? outside;
  if (!known) return undefined;
  if (inside && outside && inside !== outside) {
    throw unknown(model, `its metadata says ${inside.title}, its file name ${outside.title}`);
  }
  refuseOther(model, known, inside === undefined ? model.name : outside === undefined ? model.file : undefined);
  if (known.format === null) throw unknown(model, `it is named as ${known.title}: ${known.refusal}`);
  const { architecture, tokens } = model;
  if (architecture !== undefined && architecture !== known.architecture) {
    throw unknown(
      model,
      `it is named as ${known.title}, whose architecture is ${known.architecture}, but its own is ${architecture}`,
    );
  }
  const looked = tokens !== undefined && Object.keys(tokens).length > 0;
  const missing = looked ? known.needs.find(text => tokens[text] === undefined) : undefined;
  if (missing !== undefined) {
    throw unknown(model, `it is named as ${known.title}, but its vocabulary has no ${missing}`);
  }
  const foreign = looked ? tokensOfOthers(known.base).find(text => tokens[text] !== undefined) : undefined;
  if (foreign !== undefined) {
    throw unknown(
      model,
      `it is named as ${known.title}, but its vocabulary has ${foreign}, as models on other bases have`,
    );
  }
  if (known.format === 'few-shot') refuseTuned(model, known);
  const read = template && templateWords(model, known, template);
  const names = [inside && 'general.name', outside && 'its file'].filter(Boolean).join(' and ');
  const agreeing = [
    ...(architecture === undefined ? [] : [`Its architecture is ${architecture}, as that model’s`]),
    ...(looked && known.needs.length > 0 ? [`Its vocabulary has ${known.needs.join(', ')}`] : []),
    ...(read?.reason === undefined ? [] : [read.reason]),
  ];
  const alone = agreeing.length === 0 ? '; by a name alone, which' : ', which by itself';
  return {
    ...choiceOf(known),
    by: 'name',
    reasons: [...agreeing, `The name in ${names} is that of ${known.title}${alone} does not identify weights`],
    warnings: [...(read?.warning === undefined ? [] : [read.warning]), ...shapeWarnings(model, known)],
  };
}

/** One name is known, and the other speaks of MEDITRON too, but of none that is known: a tune that kept one of them. */
function refuseOther(model: ModelIdentity, known: KnownModel, other: string | undefined): void {
  if (other === undefined || !/meditron/i.test(plainName(other)) || known.line === 'own') return;
  throw unknown(model, `one of its names is that of ${known.title}, the other of a fine-tune of it or another model`);
}

/** Base weights that were tuned on conversations, and kept their name. */
function refuseTuned(model: ModelIdentity, { title }: KnownModel): void {
  if (looksTuned(model)) throw unknown(model, `its names say ${title} and a fine-tune of it`);
  const has = hasChatTokens(model) ? 'chat tokens' : model.chatTemplate === undefined ? undefined : 'a chat template';
  if (has !== undefined) throw unknown(model, `it is named as ${title}, but has ${has}`);
}

/** What a file's template says of the format that its name stands for. @throws if it is another format's */
function templateWords(
  model: ModelIdentity,
  { title, format, base, source }: KnownModel,
  { same, butSystem, published, opening, problem }: TemplateFinding,
): { readonly reason?: string; readonly warning?: string } {
  const whose = published === null ? '' : ` and is, byte for byte, that of ${published}`;
  if (same.includes(format!)) return { reason: `Its chat template writes what the format ${format} does${whose}` };
  if (base === 'llama-3' && format === 'llama-3' && same.includes('llama-3.1')) {
    return {
      reason: `Its chat template is that of its base, Llama 3.1${whose}; the dated system turn with which that begins was not trained (${source})`,
    };
  }
  if (same.length > 0) {
    throw unknown(
      model,
      `it is named as ${title}, which is asked as ${format}, but its chat template is that of ${same[0]}`,
    );
  }
  const choice = `The format ${format} is used, in which ${title} was trained; \`jinja\` is the file’s own template`;
  if (problem !== null) return { warning: `${problem}. ${choice}` };
  if (butSystem.includes(format!)) {
    const said = opening === null ? 'another system text, or none' : `a system turn of its own, ${excerpt(opening)}`;
    return {
      warning: `Its chat template begins with ${said}, where none is given; the format ${format} does not. ${choice}`,
    };
  }
  return {
    warning: `Its chat template does not write what the format ${format} does, nor any that is known: it was changed, or the weights are not those of ${title}. ${choice}`,
  };
}

function shapeWarnings({ layers }: ModelIdentity, { shape, title }: KnownModel): string[] {
  if (layers === undefined || shape === undefined || publishedShapes[shape].layers === layers) return [];
  return [
    `It is named as ${title}, which has ${publishedShapes[shape].layers} layers, and has ${layers}: its weights are not the published ones`,
  ];
}

function excerpt(text: string): string {
  return JSON.stringify(text.length > 120 ? `${text.slice(0, 120)}…` : text);
}

/** Of bases whose architecture and tokens leave one way of asking, a model that is asked so. */
const onlyWays = ['apertus-instruct', 'phi-4', 'gemma-2-it', 'gemma-3-it'].map(modelOf);

function byVocabulary(model: ModelIdentity): FormatChoice | undefined {
  if (isTaskTune(model)) {
    const task = trainedTask(model);
    const reason =
      'Its vocabulary has <|im_start|> and <|im_end|> as 32017 and 32018, where the authors’ trainer puts them';
    return { ...taskTune, by: 'vocabulary', reasons: [reason], warnings: [], facts: null, ...(task && { task }) };
  }
  const { architecture, tokens, chatTemplate } = model;
  if (architecture === undefined || tokens === undefined || chatTemplate !== undefined) return undefined;
  const like = onlyWays.find(
    way => way.architecture === architecture && way.needs.every(text => tokens[text] !== undefined),
  );
  if (!like) return undefined;
  const { format, source, needs, base } = like;
  return {
    ...{ format: format!, shots: 0, by: 'vocabulary', source, facts: null },
    model: `a model on ${base}, which one is not known`,
    reasons: [`Its architecture is ${architecture}, and its vocabulary has ${needs.join(', ')}`],
    warnings: [
      `Which model this is is not known, only that it was made from ${base}: by its architecture and vocabulary, which base weights that were never taught to answer have too`,
    ],
  };
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

function byTemplate(template: TemplateFinding | undefined): FormatChoice | undefined {
  const format = template?.same[0];
  if (format === undefined) return undefined;
  const whose = template!.published === null ? '' : `; it is that of ${template!.published}, byte for byte`;
  return {
    ...{ format, shots: 0, model: 'a model that is not known', by: 'template', facts: null },
    source: 'tokenizer.chat_template in the model file',
    reasons: [`Its chat template writes what the format ${format} does, for every conversation that was tried${whose}`],
    warnings: [],
  };
}

function refuseStories(model: ModelIdentity): void {
  const text = `${model.name ?? ''} ${model.file ?? ''}`.toLowerCase();
  if (!/stories-?(260k|15m|42m|110m)/.test(text)) return;
  throw unknown(
    model,
    "it was trained on children's stories and cannot answer medical questions; it is here for raw completion",
  );
}

function refuse(model: ModelIdentity, template: TemplateFinding | undefined): never {
  if (template?.problem) throw unknown(model, `its prompt format is not known. ${template.problem}`);
  const near = template?.butSystem[0];
  if (near !== undefined) {
    const opening = template!.opening === null ? '' : `, ${excerpt(template!.opening)}`;
    throw unknown(
      model,
      `its prompt format is not known: its chat template writes as ${near} does, but for the system text with which it begins${opening}`,
    );
  }
  const own = template ? '; its own chat template, which is used if you choose jinja, is none that is known' : '';
  throw unknown(model, `its prompt format is not known${own}`);
}

/** A word in either name that base weights do not have. */
function looksTuned({ name, file }: ModelIdentity): boolean {
  const words = `${name ?? ''} ${file?.replace(/^.*[/\\]/, '') ?? ''}`.toLowerCase();
  return /chat|instruct|tune|sft|dpo|lora|orca|medical|medqa|medmcqa|pubmedqa/.test(words);
}

function hasChatTokens({ tokens }: ModelIdentity): boolean {
  return tokens?.['<|im_start|>'] !== undefined;
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
