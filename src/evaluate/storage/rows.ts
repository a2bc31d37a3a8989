import type { Answer, AnswerSample } from '../../ask/types.js';
import type { Question } from '../../prompt/question/question.js';
import type { Finish } from '../../types.js';
import { goldLabel, questionOf } from '../tasks/question.js';
import type { Item } from '../tasks/task.js';
import type { Identified } from './lines.js';

/** What became of one question in one run, as it is stored: enough to read and count it again without asking again. */
export interface ResultRow extends Identified {
  /** The run's key and the item's id. */
  readonly id: string;
  readonly run: string;
  readonly item: string;
  readonly kind: 'choice' | 'boolean' | 'open';
  readonly question: string;
  readonly options?: readonly string[];
  readonly context?: readonly string[];
  readonly gold?: string;
  readonly subject?: string;
  readonly cluster?: string;
  /** True if the right option was taken out of it; it has no `gold` then. */
  readonly unanswerable?: true;
  readonly samples: readonly ResultSample[];
  /** Samples that were to be run. */
  readonly planned: number;
  /** The rule that stopped the vote early, or what kept samples from running. */
  readonly stoppedBy?: string;
  /** By answer, in mode `top-token`. */
  readonly scores?: Readonly<Record<string, ResultScore>>;
  readonly promptTokens?: number;
  /** Most new tokens a sample might have. */
  readonly maxTokens?: number;
  /** This question's share of the wall time, which it had together with those in flight beside it; milliseconds. */
  readonly ms: number;
  /** From asking it to its answer, milliseconds. */
  readonly latencyMs: number;
  /** Most questions in flight at once: the composition of batches changes floating point results. */
  readonly parallel: number;
  /** What computed it instead of what the header says, where the engine was down there. */
  readonly standIn?: StandIn;
  /** True if the model was not made for such a question. */
  readonly outside?: boolean;
  readonly warnings?: readonly string[];
  /** Texts of the question that were changed before the model saw them. */
  readonly cleaned?: number;
  /** Why it could not be asked. */
  readonly error?: { readonly code: string; readonly message: string };
}

/** The CPU alone in place of the GPUs. */
export type StandIn = 'cpu';

export interface ResultSample {
  readonly index: number;
  readonly seed: number;
  readonly text: string;
  readonly finish: Finish;
  /** Sampled tokens, end token included. */
  readonly tokens: number;
  /** Sum over them, nats. */
  readonly logprob: number;
  /** As it was read when it was sampled. */
  readonly answer: string | null;
  /** Where in the text it was found. */
  readonly rule: string;
  readonly forced: boolean;
  /** Log-probabilities of the answers when a chain that named none was asked again. */
  readonly reask?: Readonly<Record<string, number>>;
  /** The order in which it saw the options; absent: as given. */
  readonly order?: readonly number[];
}

export interface ResultScore {
  readonly logprob: number;
  readonly probability: number;
}

/** How long a question took, and beside how many others. */
export interface Spent {
  readonly ms: number;
  readonly latencyMs: number;
  readonly parallel: number;
}

/** The id of an item's row in a run. */
export function rowId(run: string, item: Item): string {
  return `${run}/${item.id}`;
}

/** The row of a question that was answered. */
export function answeredRow(run: string, item: Item, answer: Answer, spent: Spent): ResultRow {
  const { samples, scores, vote, reason, plan, warnings, findings } = answer;
  const cleaned = findings.filter(finding => finding.action !== 'kept').length;
  return {
    ...headOf(run, item),
    samples: samples.map(sampleOf),
    planned: plan.samples,
    ...(vote && vote.stoppedBy !== 'none' && { stoppedBy: vote.stoppedBy }),
    ...(scores && {
      scores: Object.fromEntries(
        Object.entries(scores).map(([name, { logprob, probability }]) => [name, { logprob, probability }]),
      ),
    }),
    ...(plan.promptTokens !== null && { promptTokens: plan.promptTokens }),
    maxTokens: plan.maxTokens,
    ...spent,
    ...(reason === 'out_of_scope' && { outside: true }),
    ...(warnings.length > 0 && { warnings }),
    ...(cleaned > 0 && { cleaned }),
  };
}

/** The row of a question that could not be asked. */
export function failedRow(
  run: string,
  item: Item,
  planned: number,
  error: { readonly code: string; readonly message: string },
  spent: Spent,
): ResultRow {
  const { code, message } = error;
  return { ...headOf(run, item), samples: [], planned, ...spent, error: { code, message } };
}

/** The question of a stored row, as it was asked. */
export function questionOfRow({ kind, question, options, context }: ResultRow): Question {
  if (kind === 'choice') return { kind, question, options: options!, ...(context && { context }) };
  if (kind === 'boolean') return { kind, question, context: context ?? [] };
  return { kind, question, ...(context && { context }) };
}

function headOf(run: string, item: Item) {
  const { question, options, context, subject, cluster, unanswerable } = item;
  const gold = goldLabel(item);
  return {
    id: rowId(run, item),
    run,
    item: item.id,
    kind: questionOf(item).kind as ResultRow['kind'],
    question,
    ...(options && { options }),
    ...(context && { context }),
    ...(gold !== undefined && { gold }),
    ...(subject !== undefined && { subject }),
    ...(cluster !== undefined && { cluster }),
    ...(unanswerable && { unanswerable }),
  };
}

function sampleOf(sample: AnswerSample): ResultSample {
  const { index, seed, text, finish, tokenCount, logprob, answer, rule, forced, reask, order } = sample;
  return {
    index,
    seed,
    text,
    finish,
    tokens: tokenCount,
    logprob,
    answer,
    rule,
    forced,
    ...(reask && { reask }),
    ...(order && { order }),
  };
}
