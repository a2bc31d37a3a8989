import type { Description } from '../answerer/answerer.js';
import type { PromptEvent, TextEvent } from '../engine/jobs/generation.js';
import type { EngineSettings } from '../engine/settings.js';
import type { FileHash } from '../models/identity.js';
import type { Finding } from '../prompt/hygiene/hygiene.js';
import type { Question } from '../prompt/question/question.js';
import type { Finish } from '../types.js';
import type { MergedRanking } from '../vote/count/ranking.js';
import type { VoteReport } from '../vote/count/summary.js';
import type { ExtractRule } from '../vote/read/extract.js';
import type { StoredAsk } from './options.js';
import type { AnswerSet } from './sets.js';

/** How the samples are run. */
export interface Plan {
  /** Samples of the whole vote; 1 in modes that ask once. */
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
  /** Its number, from 0; ties go to the answer with the lowest. */
  readonly index: number;
  /** Seed of its random numbers, derived from the master seed and its index. */
  readonly seed: number;
  /** All that it wrote, without end token or stop string. */
  readonly text: string;
  /** What of it was not thinking: this is read for an answer. Absent where all of it is said. */
  readonly said?: string;
  /** What of it was thinking, without the marks around it; absent where there is none. */
  readonly thinking?: string;
  /** The original letter (whatever order the options were shown in), yes/no/maybe, or the first name of a list. Null: none. */
  readonly answer: string | null;
  /** Where the answer was found; `reask` if it was asked for a second time. */
  readonly rule: ExtractRule | 'reask' | 'score' | 'list';
  /** True if the text named two different answers and the last was taken. */
  readonly conflict: boolean;
  /** True if the chain named no answer and was asked again for one token: counted, and counted separately. */
  readonly forced: boolean;
  /** How it ended. */
  readonly finish: Finish;
  /** Every sampled token, end token and stop string included; empty where only their number is known. */
  readonly tokens: readonly number[];
  /** Sampled tokens, also where `tokens` are not known. */
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
  /** Its number, from 0. */
  readonly index: number;
  /** Seed of its random numbers. */
  readonly seed: number;
  /** What it had written when it was cancelled. */
  readonly text: string;
}

/** The score of one answer in mode `top-token`. */
export interface AnswerScore {
  /** Natural logarithm of the probability of all its tokens after the prompt, exact. */
  readonly logprob: number;
  /** Among the answers on offer, after debiasing if there is any. */
  readonly probability: number;
  /** Token ids of the answer as it follows the prompt. */
  readonly tokens: readonly number[];
}

/** The text of one sample, to be read as the reason for its answer. */
export interface Rationale {
  /** The answer that the sample gave. */
  readonly answer: string;
  /** Index of the sample. */
  readonly sample: number;
  /** What it wrote, without its thinking. */
  readonly text: string;
  /** What it thought before; absent where there is none. */
  readonly thinking?: string;
}

/**
 * Counts of answers, those nobody gave included (0), and beside them `unparsed`, samples that ran without an answer, and
 * `notRun`, samples that were not run or were cut.
 */
export type VoteCounts = Readonly<Record<string, number>> & {
  /** Samples that ended without an answer. */
  readonly unparsed: number;
  /** Samples that were not run, or were cut. */
  readonly notRun: number;
};

/** What the asking came to. Plain data, which prints as JSON: what there is not is null. */
export interface Answer {
  /**
   * The winner: an original letter, yes/no/maybe, or the name of a diagnosis. It is given whatever the decision is: read
   * `decision` before relying on it. Null if there is none.
   */
  readonly answer: string | null;
  /** `agree`, `split` or `abstain`; null where nothing is voted on. */
  readonly decision: VoteReport['decision'] | null;
  /** Why the decision is not `agree`; null for `agree`, and where nothing is voted on. */
  readonly reason: VoteReport['reason'] | null;
  /** The counts in words, as `4 of 5, 1 not run`, and why there is no agreement, if there is none. */
  readonly summary: string;
  /** Samples by answer. */
  readonly votes: VoteCounts;
  /** The whole vote: intervals, entropy, ties, what stopped it. Null where nothing is voted on. */
  readonly vote: VoteReport | null;
  /** Present if samples were weighted; then `answer` follows the weights. */
  readonly weighted: {
    /** How samples weigh: `probability` or `cisc`. */
    readonly method: string;
    /** Weight of each answer, heaviest first. */
    readonly totals: readonly {
      /** As in `votes`. */
      readonly answer: string;
      /** Sum over its samples; only the order means something. */
      readonly weight: number;
    }[];
  } | null;
  /** The set of answers, with a calibration; null where there is no promise: not all samples ran, or it was not made for such a question. Absent without one. */
  readonly set?: AnswerSet | null;
  /** Finished samples that count, by index. */
  readonly samples: readonly AnswerSample[];
  /** Samples that had begun and were cancelled, by index. */
  readonly cut: readonly CutSample[];
  /** By answer, for mode `top-token`. */
  readonly scores: Readonly<Record<string, AnswerScore>> | null;
  /** Merged lists, for mode `ranked`. */
  readonly ranking: MergedRanking | null;
  /** The winner's most probable rationale. */
  readonly rationale: Rationale | null;
  /** The runner-up's, to be read beside it. */
  readonly dissent: Rationale | null;
  /** How the samples were run. */
  readonly plan: Plan;
  /** What was removed from, rewritten in or noticed in the question. */
  readonly findings: readonly Finding[];
  /** What was asked for and not met, or limits what the answer is worth: one sentence each. */
  readonly warnings: readonly string[];
  /** What the model is and is not. */
  readonly notice: string;
  /** All that is needed to run this again and to compare: see {@link replay}. */
  readonly evidence: Evidence;
}

export const evidenceSchema = 'meditron.evidence.v3';

/** What a prompt was, in the order it was sent. */
export interface PromptRecord {
  /** At place j the original option `order[j]`; null: as given. */
  readonly order: readonly number[] | null;
  /** Its token ids; null where they are not known: a server keeps them to itself. */
  readonly tokens: readonly number[] | null;
  /** SHA-256 of the token ids, as 32-bit little-endian integers. */
  readonly sha256: string | null;
  /** SHA-256 of its text as the model sees it, UTF-8. */
  readonly textSha256: string;
}

/** All that is needed to run an answer again, and to tell whether it comes out the same. Plain data. */
export interface Evidence {
  /** Which fields a record has: another version is refused by `replay`. */
  readonly schema: typeof evidenceSchema;
  /** Version of this package that made it. */
  readonly meditron: string;
  /** When it was made: ISO 8601, UTC. */
  readonly created: string;
  /** The model, and the hashes of its files. */
  readonly model: Description['model'] & {
    /** Of every part; null if it was not asked for, or was not ready when the vote closed. */
    readonly files: readonly FileHash[] | null;
    /** SHA-256 of the model: of its file, or of the parts' hashes one a line; null as `files`. */
    readonly sha256: string | null;
  };
  /** The machine that computed. */
  readonly machine: Description['machine'];
  /** llama.cpp as it was built into the addon; null of a server. */
  readonly llama: Description['llama'];
  /** Context, batch, threads, cache type, flash attention, kernels: all of it can change floating point results. Null: a server's affair. */
  readonly engine:
    | (Omit<EngineSettings, 'kernels'> & {
        /** As `EngineSettings.kernels`; absent in records from before there was a choice: llama.cpp's. */
        readonly kernels?: string;
        /** True if nothing had run on the engine before: only then is its cache laid out as in a replay. */
        readonly fresh: boolean;
      })
    | null;
  /** The question as it was given, checked and not yet cleaned. */
  readonly question: Question;
  /** SHA-256 of the question as JSON, the keys of its objects in alphabetical order. */
  readonly questionSha256: string;
  /** The prompt format, and how it was chosen. */
  readonly format: {
    /** The format. */
    readonly name: string;
    /** What it was chosen by: the caller, or the model file's hash, vocabulary or name. */
    readonly by: 'caller' | 'hash' | 'vocabulary' | 'template' | 'name';
    /** Where it is published that the model, or the format, is asked so. */
    readonly source: string;
  };
  /** The options with their defaults filled in; a replay asks with these. */
  readonly asked: StoredAsk;
  /** SHA-256 of `asked` as JSON, the keys of its objects in alphabetical order. */
  readonly askedSha256: string;
  /** How the samples were run. */
  readonly plan: Plan;
  /** Seed of each planned sample, by index. */
  readonly seeds: readonly number[];
  /** The prompts, one for each order in which options were shown. */
  readonly prompts: readonly PromptRecord[];
  /** Samples that had finished and count, by index. */
  readonly samples: readonly AnswerSample[];
  /** Prompt and sampled tokens of the engine meanwhile, those of cancelled samples and of other jobs included. */
  readonly cost: {
    /** Prompt tokens evaluated; a shared beginning counts once. */
    readonly promptTokens: number;
    /** Tokens sampled. */
    readonly sampledTokens: number;
    /** Time from the call to the answer. */
    readonly milliseconds: number;
  };
  /** What the answer said. */
  readonly result: {
    /** See {@link Answer.answer}. */
    readonly answer: string | null;
    /** See {@link Answer.decision}. */
    readonly decision: VoteReport['decision'] | null;
    /** See {@link Answer.reason}. */
    readonly reason: VoteReport['reason'] | null;
    /** See {@link Answer.summary}. */
    readonly summary: string;
    /** See {@link VoteCounts}. */
    readonly votes: Readonly<Record<string, number>>;
    /** See {@link VoteReport.stoppedBy}. */
    readonly stoppedBy: VoteReport['stoppedBy'];
    /** True if another answer had as many votes as the winner. */
    readonly tie: boolean;
    /** In mode `top-token`, by answer. */
    readonly scores: Readonly<Record<string, AnswerScore>> | null;
    /** See {@link Answer.set}. */
    readonly set?: AnswerSet | null;
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
      /** It begins: nothing has been computed yet. */
      readonly type: 'plan';
      /** How samples will be run. */
      readonly plan: Plan;
      /** What was removed from, rewritten in or noticed in the question. */
      readonly findings: readonly Finding[];
      /** What was asked for and will not be met: one sentence each. */
      readonly warnings: readonly string[];
    }
  | PromptEvent
  | (TextEvent & {
      /** A reminder: nobody has checked this text. */
      readonly verified: false;
    })
  | {
      /** A sample has finished. */
      readonly type: 'vote';
      /** Index of the sample. */
      readonly sample: number;
      /** Its answer; null: it named none, and may still be asked again. */
      readonly answer: string | null;
      /** True if it gave the answer only when it was asked again. */
      readonly forced: boolean;
      /** How it ended. */
      readonly finish: Finish;
      /** The votes so far. */
      readonly tally: VoteCounts;
    }
  | {
      /** The vote is closed. */
      readonly type: 'settled';
      /** The stopping rule, or what interrupted it; `none`: all samples ran. */
      readonly by: VoteReport['stoppedBy'];
      /** Samples that were not run, or were cut. */
      readonly notRun: number;
    }
  | {
      /** It has failed: the last event before the error, if samples had finished. */
      readonly type: 'unfinished';
      /** Of the samples that had finished: part of a vote, and no result. Its `result.stoppedBy` is `failed`; a replay compares these samples. */
      readonly evidence: Evidence;
    };
