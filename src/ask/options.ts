import { MeditronError } from '../check/errors.js';
import { abortSignal, choice, decimal, type Kind, text, whole, yesNo } from '../check/kinds.js';
import { array, checkKeys, integer, number, object, oneOf, string } from '../check/options.js';
import { samplingNumbers } from '../check/sampling.js';
import {
  type Checked,
  checkOptions,
  type Given,
  givenFrom,
  type Stored,
  storedOf,
  type Table,
} from '../check/table.js';
import type { Demonstration } from '../prompt/format/demonstration.js';
import {
  type FormatName,
  formatNames,
  type Mode,
  modes,
  type Protocol,
  protocols,
  tasks,
} from '../prompt/format/format.js';
import { formatNameOf } from '../prompt/format/formats.js';
import { labelsOf, type Question } from '../prompt/question/question.js';
import { shuffles } from '../prompt/question/shuffle.js';
import { defaultMinVotes } from '../vote/count/decision.js';
import type { StopRule, StopRuleName } from '../vote/count/stopping.js';
import type { ReadingRules } from '../vote/read/answer.js';
import { type Calibration, calibrationKind } from './calibration.js';

/** How samples weigh in a vote: each as one, by the probability of its text, or by CISC (arXiv 2502.06233) over that. */
export const weightings = ['none', 'probability', 'cisc'] as const;
export type Weighting = (typeof weightings)[number];

/** How `top-token` is freed from a model's liking for certain letters; see debias.ts in vote/. */
export type Debias =
  | 'none'
  | 'permutations'
  | 'contextual'
  | {
      /** How much the model favours each place, whatever stands there; above 0, at most 1: see {@link placePrior}. */
      readonly prior: readonly number[];
    };

const stopRules = ['none', 'exact', 'beta', 'esc'] as const;

/** A rule by its name alone, or with its settings; see stopping.ts in vote/. */
const stopRule: Kind<StopRuleName | StopRule> = {
  check(name, value) {
    const rule = typeof value === 'object' && value !== null ? object(name, value) : { rule: value };
    const known = oneOf(name, rule.rule, stopRules);
    const keys = { none: [], exact: ['minVotes', 'winnerOpen'], beta: ['confidence'], esc: ['window'] }[known];
    checkKeys(name, rule, ['rule', ...keys]);
    return value as StopRuleName | StopRule;
  },
};

const readingRules: Kind<ReadingRules> = {
  check: (name, value) => integer(name, value, 1, 2) as ReadingRules,
};

const debiasKind: Kind<Debias> = {
  check(name, value) {
    if (typeof value !== 'object' || value === null) return oneOf(name, value, ['none', 'permutations', 'contextual']);
    const { prior } = object(name, value);
    checkKeys(name, value, ['prior']);
    const places = array(`${name}.prior`, prior, 2, 26);
    return { prior: places.map((p, i) => number(`${name}.prior[${i}]`, p, Number.MIN_VALUE, 1)) };
  },
};

const formatKind: Kind<FormatName> = {
  check: (name, value) => formatNameOf(string(name, value)),
  read: typed => typed,
};

/** What is in them is checked where the prompt is built. */
const demonstrationList: Kind<readonly Demonstration[]> = {
  check: (name, value) => array(name, value, 0, 64) as readonly Demonstration[],
};

/** The settings of a prompt. */
export const promptOptions = {
  /** Which instruction is used; default by the kind of question, or by the task a fine-tune was trained on. */
  task: {
    kind: choice(tasks),
    flag: '--task <name>',
    help: `whose instruction: ${tasks.join(', ')} (default: by the kind of question)`,
    stored: true,
  },
  /** Takes the place of the task's instruction; an empty string leaves the instruction out. */
  instruction: {
    kind: text,
    flag: '--instruction <text>',
    help: 'an instruction of your own; an empty one leaves it out',
    stored: true,
  },
  /** The text of the system turn, in formats that have one. */
  system: { kind: text, flag: '--system <text>', help: 'the system turn, in formats that have one', stored: true },
  /** Worked examples, all of which are used, in this order; in conversations as turns before the question (`strict` only). */
  demonstrations: {
    kind: demonstrationList,
    flag: { none: 'demonstrations are drawn from a file: see eval' },
    help: 'worked examples',
    stored: true,
  },
  /** How many of our own examples are shown when no demonstrations are given (`strict` only): 0 to 5; default 3 for `few-shot`, else 0. */
  shots: {
    kind: whole(0, 5),
    flag: '--shots <n>',
    help: 'worked examples (default: 0; few-shot: 3, or what suits the model)',
    stored: true,
  },
  /** Length of the lists of mode `ranked`. Default 5. */
  items: {
    kind: whole(1, 20),
    flag: '--items <n>',
    help: 'length of the lists of mode ranked (default: 5)',
    stored: true,
  },
  /**
   * Offers "I cannot tell" as one more option, the last: a model that chooses it abstains. For questions with options under `strict`. Default
   * false.
   */
  abstainOption: {
    kind: yesNo,
    flag: '--abstain-option',
    help: 'offer the model "I cannot tell" as a further option; chosen, it counts as abstaining',
    stored: true,
  },
} as const satisfies Table;

/** Every option of `ask()`: its type, check, flag, help, and whether a record keeps it. */
export const askOptions = {
  /** Default `sc-cot` for questions with given answers, `free` for open ones and conversations. */
  mode: {
    kind: choice(modes),
    flag: '--mode <mode>',
    help: `how to ask: ${modes.join(', ')} (default: sc-cot; free for questions without options)`,
    stored: true,
  },
  /** Default `strict`. */
  protocol: {
    kind: choice(protocols),
    default: 'strict',
    flag: '--protocol <name>',
    help: `whose prompts, parser and count: ${protocols.join(', ')} (default: strict)`,
    stored: true,
  },
  /** Default: the format known for the model; an unknown model is refused. */
  format: {
    kind: formatKind,
    flag: '--format <name>',
    help: `prompt format: ${formatNames.join(', ')} (default: the one known for the model)`,
    stored: true,
  },
  ...promptOptions,
  /** When the token that begins a text is put before the prompt. Default `auto`: as the format's template, else as the model file says; `always` under `authors-code`. */
  bos: {
    kind: choice(['auto', 'always', 'never']),
    flag: '--bos <when>',
    help: 'put the token that begins a text first: auto, always or never (default: auto; always under authors-code)',
    stored: true,
  },
  /** Samples of `sc-cot`, `ranked` and `free`: default 5, 10 under `authors-code`, 1 for `free`. */
  samples: {
    kind: whole(1, 256),
    flag: '-n, --samples <n>',
    help: 'chains of sc-cot, lists of ranked (default: 5; 10 under authors-code)',
    stored: true,
  },
  /** Default 0.8; 0 for `cot` and for one sample of `free`. */
  temperature: {
    kind: samplingNumbers.temperature.kind,
    flag: '-t, --temperature <t>',
    help: 'how freely tokens are drawn (default: 0.8; 0 for cot and one sample of free)',
    stored: true,
  },
  /** Keep the smallest set of tokens whose probabilities add up to this, after the temperature. Default 1, which keeps all. */
  topP: samplingNumbers.topP,
  /** Keep this many of the most probable tokens, after the temperature. Default 0, which keeps all. */
  topK: samplingNumbers.topK,
  /** Master seed, from which every sample's own is derived. Default 0. */
  seed: {
    kind: whole(0, Number.MAX_SAFE_INTEGER),
    default: 0,
    flag: '--seed <n>',
    help: 'same seed, same samples (default: 0)',
    stored: true,
  },
  /** The row of a benchmark; part of what seeds are derived from. Default ''. */
  item: {
    kind: text,
    default: '',
    flag: { none: 'eval gives every question its own' },
    help: 'the row of a benchmark, part of what seeds are derived from',
    stored: true,
  },
  /** Most new tokens of a sample. Default 1024, or what the context has room for, which the answer then says. */
  maxTokens: {
    kind: whole(1, 0x7fffffff),
    flag: '--max-tokens <n>',
    help: 'most tokens of a chain (default: 1024, or what fits)',
    stored: true,
  },
  /** When to stop sampling: `exact` up to 19 samples, `beta` from 20; `none` for evaluation. */
  stop: {
    kind: stopRule,
    flag: { spelling: '--stop-rule <rule>', kind: choice(stopRules), to: (rule: StopRuleName) => rule },
    help: 'when enough chains have been heard: none, exact, beta or esc (default: exact; beta from 20 samples)',
    stored: true,
  },
  /** Votes the winner needs for `agree`, of `samples`. Default four fifths, rounded up. */
  minAgreement: {
    kind: whole(1, 256),
    flag: '--min-agreement <m>',
    help: 'chains that must agree (default: four fifths)',
    stored: true,
  },
  /** Whether each sample of a choice sees the options in an order of its own. Default `none`. */
  shuffle: {
    kind: choice(shuffles),
    default: 'none',
    flag: '--shuffle <how>',
    help: `show each chain the options in another order: ${shuffles.join(', ')} (default: none)`,
    stored: true,
  },
  /** How samples weigh in the vote. Default `none`, plain counting. */
  weighting: {
    kind: choice(weightings),
    default: 'none',
    flag: '--weighting <how>',
    help: `let sure chains count for more: ${weightings.join(', ')} (default: none)`,
    stored: true,
  },
  /** For `top-token`. Default `none`. */
  debias: {
    kind: debiasKind,
    default: 'none',
    flag: {
      spelling: '--debias <how>',
      kind: choice(['none', 'permutations', 'contextual']),
      to: (how: Debias) => how,
    },
    help: 'for top-token: none, permutations or contextual (default: none)',
    stored: true,
  },
  /** Ask a chain that named no answer for one token more, on what it has written. Default true under `strict`. */
  reask: {
    kind: yesNo,
    flag: '--no-reask',
    help: 'do not ask a chain again that named no answer',
    stored: true,
  },
  /** Which rules read an answer out of a text. Default 2. 1: those of before there were others, by which a replay reads older records. */
  reading: {
    kind: readingRules,
    default: 2,
    flag: { none: 'a replay reads a record as it was read' },
    help: 'which rules read an answer',
    stored: true,
  },
  /**
   * Gives a set of answers beside the winner, calibrated on questions whose right answers are known: see {@link readCalibration}. What is left open of the
   * options is as in the calibration, all samples run, and what differs from it is refused. Default: none.
   */
  calibration: {
    kind: calibrationKind,
    flag: { none: '--calibration names a file' },
    help: 'gives a set of answers that holds the right one as often as it says',
    stored: true,
  },
  /** How often sets of a calibration shall hold the right answer. Default 0.9. */
  coverage: {
    kind: decimal(0.5, 0.999),
    flag: '--coverage <share>',
    help: 'how often sets of --calibration shall hold the right answer (default: 0.9)',
    stored: true,
  },
  /** Most samples that run at once; part of what decides the text of a seed. Default: all, but four on a CPU; see `measuredWidth`. */
  width: {
    kind: whole(1, 256),
    flag: '--width <n>',
    help: 'chains at once (default: all; on a CPU as many as are fastest, measured once; 4 where nothing is kept)',
    stored: true,
  },
  /** Milliseconds after which the vote closes with what there is. */
  deadline: {
    kind: decimal(1, 2 ** 31 - 1),
    flag: { spelling: '--deadline <s>', kind: decimal(0.001, 1e6), to: (seconds: number) => seconds * 1000 },
    help: 'seconds after which the vote closes with what there is (default: none)',
    stored: true,
  },
  /** Closes the vote early with what there is, as a deadline does. */
  until: {
    kind: abortSignal,
    flag: { none: 'Ctrl-C' },
    help: 'closes the vote early with what there is',
    stored: false,
  },
  /** Cancels: the promise is rejected with the signal's reason. */
  signal: { kind: abortSignal, flag: { none: 'a second Ctrl-C' }, help: 'cancels', stored: false },
  /** Read the model file for its SHA-256, once per process, while the model thinks. Default true. */
  hash: {
    kind: yesNo,
    default: true,
    flag: { none: 'follows from --record and --json' },
    help: 'read the model file for its SHA-256',
    stored: false,
  },
} as const satisfies Table;

/** What {@link ask} may be told. Everything has a default; what does not fit the question or each other is `ERR_OPTION`. */
export interface AskOptions extends Given<typeof askOptions> {}

type PromptName = keyof typeof promptOptions;
type Chosen = 'mode' | 'samples' | 'temperature' | 'minAgreement' | 'reask' | 'bos';

type Filled<T> = { readonly [K in keyof T]-?: NonNullable<T[K]> };

/** Settings of a prompt: those of {@link AskOptions} that decide its text. */
export interface PromptSettings extends Partial<Filled<Pick<AskOptions, PromptName>>> {}

/** What will be done, all of it set. */
export type Ask = Omit<Checked<typeof askOptions>, PromptName | Chosen | 'stop'> &
  Filled<Pick<AskOptions, Chosen>> & {
    /** When sampling stops, with its settings. */
    readonly stop: StopRule;
    /** Subtracted from a token's logit for every time it has been generated; 0 but under `authors-code`. */
    readonly frequencyPenalty: number;
    /** The settings of the prompt that were given. */
    readonly prompt: PromptSettings;
    /** What was asked for and has no meaning here, in words. */
    readonly warnings: readonly string[];
  };

/** What a record keeps of it: all that decides an answer. Null is what was left open. */
export interface StoredAsk
  extends Omit<Stored<typeof askOptions>, PromptName | Chosen | 'stop' | 'reading' | 'calibration' | 'coverage'>,
    Pick<Ask, Chosen | 'stop' | 'frequencyPenalty' | 'prompt'> {
  /** Absent in records that were read by the rules 1. */
  readonly reading?: 2;
  /** Absent where there was none. */
  readonly calibration?: Calibration;
  /** Absent without a calibration. */
  readonly coverage?: number;
}

/** Options that records of before do not have. */
const later: readonly string[] = ['reading', 'calibration', 'coverage'];

export function storedAsk(ask: Ask): StoredAsk {
  const { stop, frequencyPenalty, prompt, reading, calibration, coverage, ...flat } = ask;
  const stored = storedOf(askOptions, flat);
  const open = Object.fromEntries(
    Object.entries(stored).filter(([name]) => !(name in promptOptions) && !later.includes(name)),
  );
  return {
    ...(open as Omit<StoredAsk, 'stop' | 'frequencyPenalty' | 'prompt'>),
    ...(reading === 2 && { reading }),
    ...(calibration && { calibration, coverage: coverage! }),
    stop,
    frequencyPenalty,
    prompt,
  };
}

/**
 * The options that ask again what was asked, from a record. What only a protocol sets, the frequency penalty, follows from it.
 *
 * @throws MeditronError `ERR_OPTION` that names the field
 */
export function askedAgain(stored: Readonly<Record<string, unknown>>): AskOptions {
  const { frequencyPenalty: _, prompt, ...flat } = stored;
  return {
    reading: 1,
    ...givenFrom('asked', askOptions, flat),
    ...givenFrom('asked.prompt', promptOptions, object('asked.prompt', prompt)),
  };
}

/** Checks the options once and fills in what is missing (see the tables of arXiv 2311.16079 and of the authors' scripts). */
export function checkAsk(question: Question, options: AskOptions): Ask {
  const given = checkOptions('ask()', askOptions, options);
  const { protocol, weighting, shuffle } = given;
  const mode = given.mode ?? (labelsOf(question).length > 0 ? 'sc-cot' : 'free');
  const warnings: string[] = [];
  const samples = samplesOf(given.samples, mode, protocol, warnings);
  const many = samples > 1;
  const greedy = mode === 'cot' || mode === 'top-token' || (mode === 'free' && !many);
  if (mode === 'top-token' && given.temperature !== undefined)
    warnings.push('`temperature` has no meaning in mode top-token');
  const temperature = mode === 'top-token' ? 0 : (given.temperature ?? (greedy ? 0 : 0.8));
  if (many && temperature === 0)
    warnings.push('At temperature 0 all samples are the same, and their agreement says nothing');
  const minAgreement = integer('minAgreement', given.minAgreement ?? defaultMinVotes(samples), 1, samples);
  if (shuffle !== 'none' && question.kind !== 'choice') throw conflict('`shuffle` needs a question with options');
  if (shuffle !== 'none' && mode === 'top-token')
    throw conflict('In mode top-token use `debias` "permutations" instead of `shuffle`');
  const { task, instruction, system, demonstrations, shots, items, abstainOption, ...rest } = given;
  if (given.coverage !== undefined && !given.calibration) throw conflict('`coverage` needs a `calibration`');
  if (abstainOption) refuseAbstainOption(question, mode, given);
  return {
    ...rest,
    coverage: given.calibration && (given.coverage ?? 0.9),
    mode,
    samples,
    temperature,
    // vLLM's frequency penalty, always on in epfLLM/meditron evaluation/inference.py
    frequencyPenalty: protocol === 'authors-code' ? 1 : 0,
    stop: stopOf(given.stop, { samples, mode, weighting, minAgreement }),
    minAgreement,
    weighting: mode === 'top-token' || !hasVote(mode, question) ? refuseWeighting(weighting) : weighting,
    debias: debiasFor(given.debias, mode, question),
    reask: given.reask ?? protocol === 'strict',
    bos: given.bos ?? (protocol === 'authors-code' ? 'always' : 'auto'),
    prompt: {
      ...(task !== undefined && { task }),
      ...(instruction !== undefined && { instruction }),
      ...(system !== undefined && { system }),
      ...(demonstrations !== undefined && { demonstrations }),
      ...(shots !== undefined && { shots }),
      ...(items !== undefined && { items }),
      ...(abstainOption && { abstainOption }),
    },
    warnings,
  };
}

/** Whether answers of this mode and question can be counted. */
export function hasVote(mode: Mode, question: Question): boolean {
  return mode === 'ranked' || (mode !== 'free' && labelsOf(question).length > 0);
}

function samplesOf(given: number | undefined, mode: Mode, protocol: Protocol, warnings: string[]): number {
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
  const rule: StopRule = typeof given === 'object' ? given : { rule: given };
  const name = rule.rule;
  if (name !== 'none' && weighting !== 'none') {
    throw conflict(`Stopping early counts votes; with \`weighting\` "${weighting}" use \`stop\` "none"`);
  }
  if (rule.rule === 'exact' && (rule.minVotes ?? minAgreement) !== minAgreement) {
    throw conflict(
      `Expected \`stop.minVotes\` to be \`minAgreement\`, ${minAgreement}, got ${rule.minVotes}: stopping has to settle the decision that is shown`,
    );
  }
  if (name === 'none' || !votes) return { rule: 'none' };
  return name === 'exact' ? { minVotes: minAgreement, ...rule } : rule;
}

function debiasFor(given: Debias, mode: Mode, question: Question): Debias {
  if (given === 'none') return given;
  if (mode !== 'top-token') throw conflict('`debias` is for mode top-token; elsewhere use `shuffle`');
  const count = labelsOf(question).length;
  if (typeof given === 'object') array('debias.prior', given.prior, count, count);
  if (given === 'permutations' && question.kind !== 'choice')
    throw conflict('`debias` "permutations" needs a question with options');
  return given;
}

function refuseAbstainOption(
  { kind }: Question,
  mode: Mode,
  { protocol, debias }: Pick<Ask, 'protocol' | 'debias'>,
): void {
  if (kind !== 'choice')
    throw conflict(
      kind === 'boolean'
        ? '`abstainOption` is for questions with options: to a question of yes or no, maybe can be answered already'
        : '`abstainOption` is for questions with options: to this one there is none to add it to',
    );
  if (protocol !== 'strict')
    throw conflict(`\`abstainOption\` is for protocol strict: ${protocol} asks as it was published`);
  if (mode === 'free') throw conflict('`abstainOption` needs answers that are counted: mode top-token, cot or sc-cot');
  if (debias !== 'none' && debias !== 'permutations')
    throw conflict(
      '`debias` with `abstainOption` can be "permutations" alone: the others take away what a model tends to answer to any question, and that it cannot tell is such an answer',
    );
}

function refuseWeighting(weighting: Weighting): Weighting {
  if (weighting === 'none') return weighting;
  throw conflict('`weighting` needs samples that vote: mode sc-cot and a question with given answers');
}

function conflict(message: string): MeditronError {
  return new MeditronError('ERR_OPTION', message);
}
