import type { Description } from '../answerer/answerer.js';
import type { EngineSettings } from '../engine/settings.js';
import type { FileHash } from '../models/identity.js';
import type { Finding } from '../prompt/hygiene/hygiene.js';
import type { Question } from '../prompt/question/question.js';
import type { Finish } from '../types.js';
import type { MergedRanking } from '../vote/count/ranking.js';
import type { VoteReport } from '../vote/count/summary.js';
import type { ExtractRule } from '../vote/read/extract.js';
import type { StoredAsk } from './options.js';

/** How the samples are run. */
export interface Plan {
  readonly samples: number;
  /** Samples at once, wave after wave. */
  readonly waves: readonly number[];
  /** Most new tokens of a sample. */
  readonly maxTokens: number;
  /** Of the longest prompt; null where only the other side can count, until it has. */
  readonly promptTokens: number | null;
}

/** One finished sample. */
export interface AnswerSample {
  readonly index: number;
  readonly seed: number;
  readonly text: string;
  /** The original letter (whatever order the options were shown in), yes/no/maybe, or the first name of a list. Null: none. */
  readonly answer: string | null;
  /** Where the answer was found; `reask` if it was asked for a second time. */
  readonly rule: ExtractRule | 'reask' | 'score' | 'list';
  /** True if the text named two different answers and the last was taken. */
  readonly conflict: boolean;
  /** True if the chain named no answer and was asked again for one token: counted, and counted separately. */
  readonly forced: boolean;
  readonly finish: Finish;
  /** Every sampled token, end token and stop string included; empty where only their number is known. */
  readonly tokens: readonly number[];
  readonly tokenCount: number;
  /** Sum over its tokens, natural logarithm, before temperature. */
  readonly logprob: number;
  /** The order in which it saw the options: at place j the original option `order[j]`. Null: as given. */
  readonly order: readonly number[] | null;
  /** What the second question said of each answer, if there was one: log-probabilities by original letter. */
  readonly reask: Readonly<Record<string, number>> | null;
  /** The names of its list, in mode `ranked`. */
  readonly list?: readonly string[];
}

/** A sample that was cancelled: what it had written is shown and does not count. */
export interface CutSample {
  readonly index: number;
  readonly seed: number;
  readonly text: string;
}

/** The score of one answer in mode `top-token`. */
export interface AnswerScore {
  /** Natural logarithm of the probability of all its tokens after the prompt, exact. */
  readonly logprob: number;
  /** Among the answers on offer, after debiasing if there is any. */
  readonly probability: number;
  readonly tokens: readonly number[];
}

export interface Rationale {
  readonly answer: string;
  readonly sample: number;
  readonly text: string;
}

/**
 * Counts of answers, those nobody gave included (0), and beside them `unparsed`, samples that ran without an answer, and
 * `notRun`, samples that were not run or were cut.
 */
export type VoteCounts = Readonly<Record<string, number>> & { readonly unparsed: number; readonly notRun: number };

/** What the asking came to. Plain data, which prints as JSON: what there is not is null. */
export interface Answer {
  /**
   * The winner: an original letter, yes/no/maybe, or the name of a diagnosis. It is given whatever the decision is: read
   * `decision` before relying on it. Null if there is none.
   */
  readonly answer: string | null;
  /** `agree`, `split` or `abstain`; null where nothing is voted on. */
  readonly decision: VoteReport['decision'] | null;
  readonly reason: VoteReport['reason'] | null;
  /** The counts in words, as `4 of 5, 1 not run`, and why there is no agreement, if there is none. */
  readonly summary: string;
  readonly votes: VoteCounts;
  /** The whole vote: intervals, entropy, ties, what stopped it. Null where nothing is voted on. */
  readonly vote: VoteReport | null;
  /** Present if samples were weighted; then `answer` follows the weights. */
  readonly weighted: {
    readonly method: string;
    readonly totals: readonly { readonly answer: string; readonly weight: number }[];
  } | null;
  readonly samples: readonly AnswerSample[];
  readonly cut: readonly CutSample[];
  /** By answer, for mode `top-token`. */
  readonly scores: Readonly<Record<string, AnswerScore>> | null;
  /** Merged lists, for mode `ranked`. */
  readonly ranking: MergedRanking | null;
  /** The winner's most probable rationale. */
  readonly rationale: Rationale | null;
  /** The runner-up's, to be read beside it. */
  readonly dissent: Rationale | null;
  readonly plan: Plan;
  /** What was removed from, rewritten in or noticed in the question. */
  readonly findings: readonly Finding[];
  readonly warnings: readonly string[];
  /** What the model is and is not. */
  readonly notice: string;
  readonly evidence: Evidence;
}

export const evidenceSchema = 'meditron.evidence.v3';

/** What a prompt was, in the order it was sent. */
export interface PromptRecord {
  readonly order: readonly number[] | null;
  /** Null where the tokens are not known: a server keeps them to itself. */
  readonly tokens: readonly number[] | null;
  /** Of the token ids, as 32-bit little-endian integers. */
  readonly sha256: string | null;
  /** Of its text as the model sees it, UTF-8. */
  readonly textSha256: string;
}

/** All that is needed to run an answer again, and to tell whether it comes out the same. Plain data. */
export interface Evidence {
  readonly schema: typeof evidenceSchema;
  readonly meditron: string;
  readonly created: string;
  readonly model: Description['model'] & {
    /** Of every part; null if it was not asked for, or was not ready when the vote closed. */
    readonly files: readonly FileHash[] | null;
    readonly sha256: string | null;
  };
  readonly machine: Description['machine'];
  readonly llama: Description['llama'];
  /** Context, batch, threads, cache type, flash attention: all of it can change floating point results. Null: a server's affair. */
  readonly engine:
    | (EngineSettings & {
        /** True if nothing had run on the engine before: only then is its cache laid out as in a replay. */
        readonly fresh: boolean;
      })
    | null;
  readonly question: Question;
  readonly questionSha256: string;
  readonly format: {
    readonly name: string;
    readonly by: 'caller' | 'hash' | 'vocabulary' | 'name';
    readonly source: string;
  };
  /** The options with their defaults filled in; a replay asks with these. */
  readonly asked: StoredAsk;
  readonly askedSha256: string;
  readonly plan: Plan;
  readonly seeds: readonly number[];
  readonly prompts: readonly PromptRecord[];
  readonly samples: readonly AnswerSample[];
  /** Prompt and sampled tokens of the engine meanwhile, those of cancelled samples and of other jobs included. */
  readonly cost: { readonly promptTokens: number; readonly sampledTokens: number; readonly milliseconds: number };
  readonly result: {
    readonly answer: string | null;
    readonly decision: VoteReport['decision'] | null;
    readonly reason: VoteReport['reason'] | null;
    readonly summary: string;
    readonly votes: Readonly<Record<string, number>>;
    readonly stoppedBy: VoteReport['stoppedBy'];
    readonly tie: boolean;
    /** In mode `top-token`, by answer. */
    readonly scores: Readonly<Record<string, AnswerScore>> | null;
  };
  /** Of all the rest as JSON, the keys of its objects in alphabetical order: a record that was changed is refused. */
  readonly sha256: string;
}

/** Said once with every answer. */
export const notice =
  'A language model wrote this. It has not examined anyone, its reasoning may be wrong where it sounds sure, and agreement ' +
  'between its samples is not a probability of being right. It is not a medical device and does not replace a clinician.';

/** What {@link askStream} yields. Text is unverified: the vote has not closed, and later samples may contradict it. */
export type AskEvent =
  | {
      readonly type: 'plan';
      readonly plan: Plan;
      readonly findings: readonly Finding[];
      readonly warnings: readonly string[];
    }
  | { readonly type: 'prompt'; readonly done: number; readonly total: number }
  | { readonly type: 'text'; readonly sample: number; readonly text: string; readonly verified: false }
  /** A sample has finished. `answer` null: it named none, and may still be asked again. */
  | {
      readonly type: 'vote';
      readonly sample: number;
      readonly answer: string | null;
      readonly forced: boolean;
      readonly finish: Finish;
      readonly tally: VoteCounts;
    }
  /** The vote is closed: why, and how many samples were not run. */
  | { readonly type: 'settled'; readonly by: VoteReport['stoppedBy']; readonly notRun: number };
