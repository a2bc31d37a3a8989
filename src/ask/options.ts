import { MeditronError, optionError } from '../check/errors.js';
import { array, boolean, checkKeys, integer, number, object, oneOf, string } from '../check/options.js';
import type { BosRule } from '../engine/jobs/options.js';
import type { Demonstration } from '../prompt/format/demonstration.js';
import {
  type FormatName,
  type Mode,
  modes,
  type Protocol,
  protocols,
  type Task,
  tasks,
} from '../prompt/format/format.js';
import { formatNameOf } from '../prompt/format/formats.js';
import { labelsOf, type Question } from '../prompt/question/question.js';
import { type Shuffle, shuffles } from '../prompt/question/shuffle.js';
import { defaultMinVotes } from '../vote/count/decision.js';
import type { StopRule } from '../vote/count/stopping.js';

/** How samples weigh in a vote: each as one, by the probability of its text, or by CISC (arXiv 2502.06233) over that. */
export const weightings = ['none', 'probability', 'cisc'] as const;
export type Weighting = (typeof weightings)[number];

/** How `top-token` is freed from a model's liking for certain letters; see debias.ts in vote/. */
export type Debias = 'none' | 'permutations' | 'contextual' | { readonly prior: readonly number[] };

export interface AskOptions {
  /** Default `sc-cot` for questions with given answers, `free` for open ones and conversations. */
  readonly mode?: Mode | undefined;
  /** Default `strict`. */
  readonly protocol?: Protocol | undefined;
  /** Samples of `sc-cot`, `ranked` and `free`: default 5, 10 under `authors-code`, 1 for `free`. */
  readonly samples?: number | undefined;
  /** Default 0.8; 0 for `cot` and for one sample of `free`. */
  readonly temperature?: number | undefined;
  /** Default 1, as in the paper. */
  readonly topP?: number | undefined;
  /** Default 0, off, as in the paper. */
  readonly topK?: number | undefined;
  /** Master seed, from which every sample's own is derived. Default 0. */
  readonly seed?: number | undefined;
  /** The row of a benchmark; part of what seeds are derived from. Default ''. */
  readonly item?: string | undefined;
  /** Most new tokens of a sample. Default 1024, or what the context has room for, which the answer then says. */
  readonly maxTokens?: number | undefined;
  /** Default: the format known for the model; an unknown model is refused. */
  readonly format?: FormatName | undefined;
  /** When to stop sampling: `exact` up to 19 samples, `beta` from 20; `none` for evaluation. */
  readonly stop?: StopRule['rule'] | StopRule | undefined;
  /** Votes the winner needs for `agree`, of `samples`. Default four fifths, rounded up. */
  readonly minAgreement?: number | undefined;
  /** Whether each sample of a choice sees the options in an order of its own. Default `none`. */
  readonly shuffle?: Shuffle | undefined;
  /** Default `none`, plain counting. */
  readonly weighting?: Weighting | undefined;
  /** For `top-token`. Default `none`. */
  readonly debias?: Debias | undefined;
  /** Ask a chain that named no answer for one token more, on what it has written. Default true under `strict`. */
  readonly reask?: boolean | undefined;
  /** Most samples that run at once; part of what decides the text of a seed. Default: all, but four on a CPU. */
  readonly width?: number | undefined;
  /** Milliseconds after which the vote closes with what there is. */
  readonly deadline?: number | undefined;
  /** Closes the vote early with what there is, as a deadline does. */
  readonly until?: AbortSignal | undefined;
  /** Cancels: the promise is rejected with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  readonly bos?: BosRule | undefined;
  /** Read the model file for its SHA-256, once per process, while the model thinks. Default true. */
  readonly hash?: boolean | undefined;
  /** Which instruction is used; default by the kind of question, or by the task a fine-tune was trained on. */
  readonly task?: Task | undefined;
  readonly instruction?: string | undefined;
  readonly system?: string | undefined;
  readonly demonstrations?: readonly Demonstration[] | undefined;
  readonly shots?: number | undefined;
  /** Length of the lists of mode `ranked`. Default 5. */
  readonly items?: number | undefined;
}

/** What will be done, all of it set: this is what a record keeps and a replay gives back. */
export interface Ask {
  readonly mode: Mode;
  readonly protocol: Protocol;
  readonly samples: number;
  readonly temperature: number;
  readonly topP: number;
  readonly topK: number;
  readonly frequencyPenalty: number;
  readonly seed: number;
  readonly item: string;
  /** Undefined: 1024 or what fits. */
  readonly maxTokens: number | undefined;
  readonly format: FormatName | undefined;
  readonly stop: StopRule;
  readonly minAgreement: number;
  readonly shuffle: Shuffle;
  readonly weighting: Weighting;
  readonly debias: Debias;
  readonly reask: boolean;
  readonly width: number | undefined;
  readonly bos: BosRule;
  readonly deadline: number | undefined;
  readonly until: AbortSignal | undefined;
  readonly signal: AbortSignal | undefined;
  readonly hash: boolean;
  readonly prompt: {
    readonly task?: Task;
    readonly instruction?: string;
    readonly system?: string;
    readonly demonstrations?: readonly Demonstration[];
    readonly shots?: number;
    readonly items?: number;
  };
  /** What was asked for and has no meaning here, in words. */
  readonly warnings: readonly string[];
}

const keys = [
  'mode',
  'protocol',
  'samples',
  'temperature',
  'topP',
  'topK',
  'seed',
  'item',
  'maxTokens',
  'format',
  'stop',
  'minAgreement',
  'shuffle',
  'weighting',
  'debias',
  'reask',
  'width',
  'deadline',
  'until',
  'signal',
  'bos',
  'hash',
  'task',
  'instruction',
  'system',
  'demonstrations',
  'shots',
  'items',
] as const;

/** Checks the options once and fills in what is missing (see the tables of arXiv 2311.16079 and of the authors' scripts). */
export function checkAsk(question: Question, options: AskOptions): Ask {
  object('options', options);
  checkKeys('ask()', options, keys);
  const mode = oneOf('mode', options.mode ?? (labelsOf(question).length > 0 ? 'sc-cot' : 'free'), modes);
  const protocol = oneOf('protocol', options.protocol ?? 'strict', protocols);
  const warnings: string[] = [];
  const samples = samplesOf(options, mode, protocol, warnings);
  const many = samples > 1;
  const greedy = mode === 'cot' || mode === 'top-token' || (mode === 'free' && !many);
  const asked = options.temperature === undefined ? undefined : number('temperature', options.temperature, 0, 100);
  if (mode === 'top-token' && asked !== undefined) warnings.push('`temperature` has no meaning in mode top-token');
  const temperature = mode === 'top-token' ? 0 : (asked ?? (greedy ? 0 : 0.8));
  if (many && temperature === 0)
    warnings.push('At temperature 0 all samples are the same, and their agreement says nothing');
  const weighting = oneOf('weighting', options.weighting ?? 'none', weightings);
  const minAgreement = integer('minAgreement', options.minAgreement ?? defaultMinVotes(samples), 1, samples);
  const shuffle = oneOf('shuffle', options.shuffle ?? 'none', shuffles);
  if (shuffle !== 'none' && question.kind !== 'choice') throw conflict('`shuffle` needs a question with options');
  if (shuffle !== 'none' && mode === 'top-token')
    throw conflict('In mode top-token use `debias` "permutations" instead of `shuffle`');
  const deadline = options.deadline === undefined ? undefined : number('deadline', options.deadline, 1, 2 ** 31 - 1);
  return {
    mode,
    protocol,
    samples,
    temperature,
    topP: number('topP', options.topP ?? 1, Number.MIN_VALUE, 1),
    topK: integer('topK', options.topK ?? 0, 0, 0x7fffffff),
    // vLLM's frequency penalty, always on in epfLLM/meditron evaluation/inference.py
    frequencyPenalty: protocol === 'authors-code' ? 1 : 0,
    seed: integer('seed', options.seed ?? 0, 0, Number.MAX_SAFE_INTEGER),
    item: string('item', options.item ?? ''),
    maxTokens: options.maxTokens === undefined ? undefined : integer('maxTokens', options.maxTokens, 1, 0x7fffffff),
    format: options.format === undefined ? undefined : formatNameOf(string('format', options.format)),
    stop: stopOf(options.stop, { samples, mode, weighting, minAgreement }),
    minAgreement,
    shuffle,
    weighting: mode === 'top-token' || !hasVote(mode, question) ? refuseWeighting(weighting) : weighting,
    debias: debiasOf(options.debias, mode, question),
    reask: boolean('reask', options.reask ?? protocol === 'strict'),
    width: options.width === undefined ? undefined : integer('width', options.width, 1, 256),
    bos: oneOf('bos', options.bos ?? (protocol === 'authors-code' ? 'always' : 'auto'), ['auto', 'always', 'never']),
    deadline,
    until: signalOf('until', options.until),
    signal: signalOf('signal', options.signal),
    hash: boolean('hash', options.hash ?? true),
    prompt: {
      ...(options.task !== undefined && { task: oneOf('task', options.task, tasks) }),
      ...(options.instruction !== undefined && { instruction: string('instruction', options.instruction) }),
      ...(options.system !== undefined && { system: string('system', options.system) }),
      ...(options.demonstrations !== undefined && { demonstrations: options.demonstrations }),
      ...(options.shots !== undefined && { shots: integer('shots', options.shots, 0, 5) }),
      ...(options.items !== undefined && { items: integer('items', options.items, 1, 20) }),
    },
    warnings,
  };
}

/** Whether answers of this mode and question can be counted. */
export function hasVote(mode: Mode, question: Question): boolean {
  return mode === 'ranked' || (mode !== 'free' && labelsOf(question).length > 0);
}

function samplesOf(options: AskOptions, mode: Mode, protocol: Protocol, warnings: string[]): number {
  const given = options.samples === undefined ? undefined : integer('samples', options.samples, 1, 256);
  if (mode === 'cot' || mode === 'top-token') {
    if (given !== undefined && given > 1) warnings.push(`\`samples\` has no meaning in mode ${mode}, which asks once`);
    return 1;
  }
  if (given !== undefined) return given;
  if (mode === 'free') return 1;
  return protocol === 'authors-code' ? 10 : 5;
}

interface Planned {
  readonly samples: number;
  readonly mode: Mode;
  readonly weighting: Weighting;
  readonly minAgreement: number;
}

/** `exact` also keeps the decision: it stops when neither the winner nor whether it has enough votes can change. */
function stopOf(given: AskOptions['stop'], { samples, mode, weighting, minAgreement }: Planned): StopRule {
  const votes = mode === 'sc-cot';
  if (given === undefined) {
    if (!votes || weighting !== 'none') return { rule: 'none' };
    return samples >= 20 ? { rule: 'beta' } : { rule: 'exact', minVotes: minAgreement };
  }
  const rule = typeof given === 'object' && given !== null ? object('stop', given) : { rule: given };
  const name = oneOf('stop', rule.rule, ['none', 'exact', 'beta', 'esc']);
  checkKeys(
    'stop',
    rule,
    {
      none: ['rule'],
      exact: ['rule', 'minVotes', 'winnerOpen'],
      beta: ['rule', 'confidence'],
      esc: ['rule', 'window'],
    }[name],
  );
  if (name !== 'none' && weighting !== 'none') {
    throw conflict(`Stopping early counts votes; with \`weighting\` "${weighting}" use \`stop\` "none"`);
  }
  if (name === 'none' || !votes) return { rule: 'none' };
  if (name === 'exact') return { minVotes: minAgreement, ...(rule as StopRule & { rule: 'exact' }) };
  return rule as StopRule;
}

function debiasOf(given: AskOptions['debias'], mode: Mode, question: Question): Debias {
  if (given === undefined || given === 'none') return 'none';
  if (mode !== 'top-token') throw conflict('`debias` is for mode top-token; elsewhere use `shuffle`');
  const count = labelsOf(question).length;
  if (typeof given === 'object' && given !== null) {
    checkKeys('debias', given, ['prior']);
    const prior = array('debias.prior', given.prior, count, count).map((p, i) =>
      number(`debias.prior[${i}]`, p, Number.MIN_VALUE, 1),
    );
    return { prior };
  }
  const name = oneOf('debias', given, ['none', 'permutations', 'contextual']);
  if (name === 'permutations' && question.kind !== 'choice')
    throw conflict('`debias` "permutations" needs a question with options');
  return name;
}

function refuseWeighting(weighting: Weighting): Weighting {
  if (weighting === 'none') return weighting;
  throw conflict('`weighting` needs samples that vote: mode sc-cot and a question with given answers');
}

function signalOf(option: string, value: unknown): AbortSignal | undefined {
  if (value === undefined || value instanceof AbortSignal) return value;
  throw optionError(option, 'an AbortSignal', value);
}

function conflict(message: string): MeditronError {
  return new MeditronError('ERR_OPTION', message);
}
