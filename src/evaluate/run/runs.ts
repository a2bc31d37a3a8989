import type { AnswererModel } from '../../answerer/answerer.js';
import { type ChosenFormat, chooseFormat } from '../../ask/choice.js';
import { type Ask, type AskOptions, checkAsk } from '../../ask/options.js';
import { promptFor } from '../../ask/prompts.js';
import { MeditronError, optionError } from '../../check/errors.js';
import { oneOf } from '../../check/options.js';
import type { Demonstration } from '../../prompt/format/demonstration.js';
import { authorsSeeds } from '../../prompt/format/demonstration.js';
import type { Task } from '../../prompt/format/format.js';
import { abstainOptionText } from '../../prompt/question/abstain.js';
import { type Demonstrations, demonstrationsFrom } from '../tasks/demonstrations.js';
import { goldLabel, questionOf } from '../tasks/question.js';
import type { Item, TaskName, TaskSet } from '../tasks/task.js';
import { type EvaluatedMode, evaluatedModes, type RunOptions } from './options.js';

export { type EvaluatedMode, evaluatedModes, type RunOptions } from './options.js';

/** One run over the questions: a mode, and a draw of demonstrations where there is more than one. */
export interface Run {
  /** Stands before the id of every row: `sc-cot`, or `top-token@432`. */
  readonly key: string;
  /** As reports show it: `SC-CoT, 5 samples`. */
  readonly name: string;
  readonly mode: EvaluatedMode;
  /** For `ask()`, without item and signal. */
  readonly options: AskOptions;
  /** The same with its defaults. */
  readonly ask: Ask;
  readonly demonstrations: Demonstrations | undefined;
}

export interface Runs {
  readonly runs: readonly Run[];
  readonly chosen: ChosenFormat;
  readonly notes: readonly string[];
}

/**
 * The runs that were asked for, checked against the model and the first question, so that a mistake is found before hours
 * are spent. `train` gives the questions that demonstrations are drawn from, and is called only if there are to be any.
 *
 * @throws MeditronError what `ask()` throws for options that do not fit; `ERR_INPUT` without questions for demonstrations
 */
export async function runsFor(
  model: AnswererModel,
  set: TaskSet,
  options: RunOptions,
  train: () => Promise<TaskSet>,
): Promise<Runs> {
  const [first] = set.items;
  if (!first) throw new MeditronError('ERR_INPUT', 'There are no questions');
  const question = questionOf(first);
  const open = question.kind === 'open';
  const modes = modesOf(options.modes ?? [open ? 'free' : 'sc-cot'], open);
  const known = await chooseFormat(model, options.format);
  const zeroShot = known.format.name === 'few-shot' && options.shots === 0;
  const chosen = zeroShot ? await chooseFormat(model, 'raw') : known;
  const notes: string[] = [];
  const drawn = await demonstrationsFor(chosen, set, options, train, notes);
  const several = drawn.length > 1;
  const runs: Run[] = [];
  for (const mode of modes) {
    for (const demonstrations of drawn) {
      const without = askOptions(mode, options, set.task, question.kind, chosen, demonstrations);
      for (const asked of options.abstainOption ? [without, { ...without, abstainOption: true }] : [without]) {
        const ask = checkAsk(question, asked);
        promptFor(chosen.format, question, ask, null, chosen.choice);
        const drawn = several ? `@${demonstrations!.seed}` : '';
        const key = `${mode}${drawn}${asked.abstainOption ? '+abstain' : ''}`;
        const name = [nameOf(ask), ...(several ? [`demonstrations ${demonstrations!.seed}`] : []), ...offering(asked)];
        runs.push({ key, name: name.join(', '), mode, options: asked, ask, demonstrations });
      }
    }
  }
  return { runs, chosen, notes };
}

/** What a run's name says of the option to abstain. */
export function offering({ abstainOption }: { readonly abstainOption?: boolean | undefined }): string[] {
  return abstainOption ? [`"${abstainOptionText}" offered`] : [];
}

/** `SC-CoT, 5 samples` */
export function nameOf({ mode, samples }: Pick<Ask, 'mode' | 'samples'>): string {
  const names = { 'top-token': 'top-token', cot: 'CoT', 'sc-cot': 'SC-CoT', free: 'free text', ranked: 'ranked list' };
  if (mode === 'sc-cot' && samples === 1) return 'one sampled CoT';
  return samples > 1 ? `${names[mode]}, ${samples} samples` : names[mode];
}

function modesOf(given: readonly EvaluatedMode[], open: boolean): EvaluatedMode[] {
  if (given.length === 0) throw optionError('modes', `one or more of ${evaluatedModes.join(', ')}`, given);
  const modes = [...new Set(given.map(mode => oneOf('mode', mode, evaluatedModes)))];
  const unfit = modes.find(mode => (mode === 'free') !== open);
  if (unfit === undefined) return modes;
  const why = open ? 'open questions are answered in mode free' : 'mode free is for open questions';
  throw new MeditronError('ERR_OPTION', `Mode ${unfit} does not fit: ${why}`);
}

/** The instruction of each benchmark by the authors' name; others are asked as plain multiple choice. */
const wordingOf: Partial<Record<TaskName, Task>> = {
  medqa: 'medqa',
  medqa4: 'medqa4',
  medmcqa: 'medmcqa',
  'mmlu-medical': 'mmlu_medical',
  truthfulqa: 'truthfulqa',
  pubmedqa: 'pubmedqa',
  medicationqa: 'medicationqa',
};

function askOptions(
  mode: EvaluatedMode,
  options: RunOptions,
  task: TaskName,
  kind: string,
  { format, choice }: ChosenFormat,
  drawn: Demonstrations | undefined,
): AskOptions {
  const { protocol, samples, temperature, topP, topK, seed, maxTokens, weighting, reask } = options;
  const sampled = mode === 'sc-cot' || mode === 'free';
  const trained = choice?.task !== undefined && (choice.task === 'pubmedqa') === (kind === 'boolean');
  const wording = options.task ?? wordingOf[task] ?? (kind === 'choice' && !trained ? 'mcq' : undefined);
  return {
    mode,
    protocol,
    ...(sampled && { samples, temperature, topP, topK }),
    ...(mode === 'sc-cot' && { weighting }),
    ...(mode !== 'top-token' && { maxTokens }),
    ...((mode === 'cot' || mode === 'sc-cot') && { reask }),
    seed,
    stop: options.stop ?? 'none',
    format: format.name,
    task: wording ?? (trained ? choice!.task : undefined),
    ...(drawn && { demonstrations: drawn.items.map(demonstrationOf) }),
    ...(!drawn && format.name === 'few-shot' && { shots: options.shots ?? choice?.shots ?? 3 }),
    hash: false,
  };
}

function demonstrationOf(item: Item): Demonstration {
  const question = questionOf(item);
  if (question.kind === 'chat') throw new MeditronError('ERR_INPUT', 'A conversation cannot be a demonstration');
  const { explanation } = item;
  return { question, answer: goldLabel(item)!, ...(explanation !== undefined && { explanation }) };
}

/** One draw a seed; `[undefined]` for prompts without drawn demonstrations. */
async function demonstrationsFor(
  { format, choice }: ChosenFormat,
  set: TaskSet,
  options: RunOptions,
  train: () => Promise<TaskSet>,
  notes: string[],
): Promise<(Demonstrations | undefined)[]> {
  const shots = options.shots ?? (format.name === 'few-shot' ? (choice?.shots ?? 3) : 0);
  if (shots === 0) return [undefined];
  if (!format.accepts.demonstrations) {
    throw new MeditronError(
      'ERR_OPTION',
      `The ${format.name} format shows no demonstrations; use few-shot, or 0 shots`,
    );
  }
  let pool: TaskSet;
  try {
    pool = await train();
  } catch (error) {
    const asked = options.shots !== undefined || options.demoSeeds !== undefined;
    const own = (options.protocol ?? 'strict') === 'strict' && !asked && questionOf(set.items[0]!).kind !== 'open';
    if (!own || !(error instanceof MeditronError)) throw error;
    notes.push(`the ${shots} demonstrations are this package's own: the training part of ${set.task} is not there`);
    return [undefined];
  }
  const seeds = options.demoSeeds ?? [authorsSeeds[0]];
  return [...new Set(seeds)].map(seed => demonstrationsFrom(pool, shots, seed, set.items));
}
