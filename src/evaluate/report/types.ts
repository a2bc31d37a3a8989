import type { Interval } from '../../vote/count/uncertainty.js';
import type { Accuracy, Calibration, RiskCoverage } from '../score/metrics.js';
import type { Reference } from '../score/reference.js';

/** Everything a report shows. Plain data: it can be stored as JSON and shown again. */
export interface EvaluationReport {
  readonly title: string;
  /** ISO 8601. */
  readonly created: string;
  /** What was learned while the questions were read. */
  readonly notes: readonly string[];
  /** One for each mode, protocol or model; usually over the same questions. */
  readonly runs: readonly RunReport[];
  readonly comparisons?: readonly Comparison[];
}

export interface RunReport {
  /** Short and unique in the report: `SC-CoT, 5 samples`. */
  readonly name: string;
  /** What identifies the measurement: model, file hash, quantization, protocol, template, scorer, seed, build, machine. */
  readonly facts: readonly Fact[];
  readonly metrics: RunMetrics;
  /** Published figures to set beside this one; each is shown with its scorer and source. */
  readonly references: readonly Reference[];
  readonly rows: readonly ReportRow[];
}

export interface Fact {
  readonly name: string;
  readonly value: string;
}

/** One question and all that became of it. */
export interface ReportRow {
  readonly id: string;
  readonly question: string;
  readonly options?: readonly string[];
  readonly context?: readonly string[];
  /** A letter, or yes, no, maybe; absent for open questions. */
  readonly gold?: string;
  readonly subject?: string;
  readonly cluster?: string;
  readonly mode: string;
  readonly protocol: string;
  readonly samples: readonly ReportSample[];
  /** Most votes first. Empty in top-token mode. */
  readonly votes: readonly { readonly answer: string; readonly count: number }[];
  /** Absent if the model gave none. */
  readonly answer?: string;
  /** `agree`, `split` or `abstain`. */
  readonly decision?: string;
  /** Why it is not `agree`. */
  readonly reason?: string;
  readonly tie?: boolean;
  /** True if the answer was read from a second phase that forces one. */
  readonly forced?: boolean;
  /** Absent if there is no right answer to compare with. */
  readonly correct?: boolean;
  /** Probabilities of the options in top-token mode. */
  readonly scores?: readonly { readonly answer: string; readonly probability: number }[];
  /** Wall time, milliseconds. */
  readonly ms?: number;
  readonly promptTokens?: number;
  /** Why the question could not be asked: the prompt does not fit, for instance. */
  readonly error?: string;
}

export interface ReportSample {
  readonly text: string;
  /** Absent if none could be read from the text. */
  readonly answer?: string;
  readonly tokens?: number;
  /** Sum over the sample's tokens, nats. */
  readonly logprob?: number;
  readonly finish?: string;
}

/** A count of a total, shown as both. */
export interface Rate {
  readonly count: number;
  readonly of: number;
}

export interface RunMetrics {
  readonly items: number;
  /** Over the questions with a known answer; absent if there is none. */
  readonly accuracy?: Accuracy;
  /** The interval when repeated questions count once; absent if none is repeated. */
  readonly clustered?: Interval & { readonly clusters: number };
  readonly calibration?: Calibration;
  /** Mean squared difference between the answer's share and whether it was right. */
  readonly brierTop?: number;
  readonly auroc?: number;
  readonly riskCoverage?: Omit<RiskCoverage, 'risks'>;
  /** What the confidence is: the share of the votes, or the probability of the option. */
  readonly confidence: 'vote share' | 'option probability' | 'none';
  /** Samples without an answer. */
  readonly unparsed: Rate;
  readonly ties: Rate;
  readonly forced: Rate;
  /** Questions that could not be asked. */
  readonly failed: Rate;
  /** Questions by decision: agree, split, abstain. */
  readonly decisions: Readonly<Record<string, number>>;
  readonly bySubject: readonly { readonly subject: string; readonly accuracy: Accuracy }[];
  readonly samplesPerQuestion: number;
  readonly newTokensPerQuestion: number;
  readonly promptTokensPerQuestion: number;
  readonly msPerQuestion: number;
}

/** Two runs over the same questions. */
export interface Comparison {
  readonly first: string;
  readonly second: string;
  readonly n: number;
  /** Questions that only the first, only the second got right. */
  readonly onlyFirst: number;
  readonly onlySecond: number;
  /** McNemar, exact, two-sided. */
  readonly p: number;
  /** Accuracy of the first minus the second, with its interval by bootstrap. */
  readonly difference: number;
  readonly low: number;
  readonly high: number;
}
