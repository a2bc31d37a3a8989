import type { Abstention } from '../score/abstention.js';
import type { Comparison, Rate, RunMetrics } from '../score/measure.js';
import type { Outcome } from '../score/outcome.js';
import type { PoolMetrics } from '../score/pool.js';
import type { ReadRow } from '../score/read.js';
import type { Reference } from '../score/reference.js';
import type { Incident } from '../storage/incidents.js';
import type { Fact, StoredRun } from '../storage/types.js';

/** Everything a report shows. */
export interface EvaluationReport {
  readonly title: string;
  /** ISO 8601. */
  readonly created: string;
  /** What was learned while the questions were read. */
  readonly notes: readonly string[];
  /** What befell the engine while the questions were asked. */
  readonly incidents: readonly Incident[];
  /** One for each mode, protocol or model; usually over the same questions. */
  readonly runs: readonly RunReport[];
  readonly comparisons: readonly Comparison[];
  /** Every question with its texts, read from the results anew: all of them together may not fit in memory. */
  rows(): AsyncIterable<ListedRow>;
}

export interface RunReport {
  /** Short and unique in the report: `SC-CoT, 5 samples`. */
  readonly name: string;
  readonly run: StoredRun;
  /** What identifies the measurement: model, file hash, quantization, protocol, template, scorer, seed, build, machine. */
  readonly facts: readonly Fact[];
  readonly metrics: RunMetrics;
  /** What can be told from the samples behind the answers. */
  readonly pool: PoolMetrics;
  /** Where the option to abstain, or questions without a right option, were among what was asked. */
  readonly abstention?: Abstention;
  /** Published figures to set beside this one; each is shown with its scorer and source. */
  readonly references: readonly Reference[];
  /** Questions that something else computed than what the facts say. */
  readonly standIn: Rate;
  readonly outcomes: readonly Outcome[];
}

/** A question as the page lists it. */
export interface ListedRow extends ReadRow {
  /** The place of its run in the report, from 0. */
  readonly run: number;
}
