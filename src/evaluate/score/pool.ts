import { abstainLabelOf, offered } from '../../prompt/question/abstain.js';
import { labelsOf } from '../../prompt/question/question.js';
import type { StopRule } from '../../vote/count/stopping.js';
import { questionOfRow, type ResultRow } from '../storage/rows.js';
import type { StoredRun } from '../storage/types.js';
import type { Rate } from './measure.js';
import { clusterOf, verdictOf } from './outcome.js';
import { type Reading, type ReadRow, readRow } from './read.js';
import { type Accuracy, accuracy, brier, type Shares } from './statistics.js';

/** What can be told from the samples behind the answers of a run. */
export interface PoolMetrics {
  /** Over all options, 0 to 2; a question without votes counts as equal shares. */
  readonly brier?: number;
  /** Votes that a rule closed before all samples ran. */
  readonly earlyStops: Rate;
  /** Samples whose answer came only when the chain was asked again. */
  readonly forcedSamples: Rate;
  /** Samples that ran into the token limit. */
  readonly cut: Rate;
  /**
   * The mean over all samples, each counted alone; for `sc-cot`. The samples of a question depend on each other: its interval
   * is that of as many independent answers as there are questions, not samples.
   */
  readonly singleSample?: Accuracy;
  /** Accuracy of the vote over the first 1, 2, … samples. */
  readonly bySamples?: readonly (Accuracy & { readonly samples: number })[];
  /** What each rule would have run, replayed on the same samples, and how often the winner would have been another. */
  readonly stopRules?: Readonly<Record<string, RuleMetrics>>;
  /** Wall time of all questions together, milliseconds. */
  readonly totalMs: number;
}

export interface RuleMetrics {
  /** Mean samples a question. */
  readonly samples: number;
  readonly otherWinner: Rate;
  readonly accuracy?: Accuracy;
}

/** The outcome of a vote's first sample alone. */
export type FirstSample = Pick<ReadRow, 'id' | 'gold' | 'cluster' | 'correct'>;

/** Takes the rows of a run one after another, and keeps counts and verdicts of them, no texts. */
export class Pool {
  readonly first: FirstSample[] = [];
  readonly #planned: number;
  readonly #rules: readonly StopRule[];
  readonly #asSampled: boolean;
  readonly #votes: boolean;
  readonly #clusters: string[] = [];
  readonly #single: { verdict: boolean | undefined; cluster: string }[] = [];
  readonly #bySamples: (boolean | undefined)[][] = [];
  readonly #byRule = new Map<string, { samples: number; other: number; verdicts: (boolean | undefined)[] }>();
  #brier = { sum: 0, of: 0 };
  #complete = true;
  #rows = 0;
  #samples = 0;
  #asked = 0;
  #early = 0;
  #forced = 0;
  #cut = 0;
  #ms = 0;

  constructor(
    private readonly run: StoredRun,
    private readonly reading: Reading,
  ) {
    this.#planned = Math.min(reading.samples ?? run.samples, run.samples);
    this.#votes = run.mode === 'sc-cot' && this.#planned > 1;
    // Rules count votes: of weighted samples there is nothing to replay.
    this.#rules = (reading.weighting ?? run.weighting) === 'none' ? rulesFor(this.#planned) : [];
    this.#asSampled = (reading.protocol ?? run.protocol) === 'strict'; // no other protocol asks again
  }

  add(row: ResultRow, read: ReadRow): void {
    this.#rows++;
    this.#samples += row.samples.length;
    this.#ms += row.ms;
    this.#forced += row.samples.filter(sample => sample.forced && this.#asSampled).length;
    if (this.run.mode !== 'top-token') this.#cut += row.samples.filter(({ finish }) => finish === 'length').length;
    if (!row.error) {
      this.#asked++;
      if (read.samples.length < this.#planned) this.#early++;
    }
    const shares = sharesOf(read, row, this.run);
    if (shares) this.#brier = { sum: this.#brier.sum + brier([shares]), of: this.#brier.of + 1 };
    if (this.#votes) this.#addVote(row, read);
  }

  get metrics(): PoolMetrics {
    return {
      ...(this.#brier.of > 0 && { brier: this.#brier.sum / this.#brier.of }),
      earlyStops: { count: this.#early, of: this.#asked },
      forcedSamples: { count: this.#forced, of: this.#samples },
      cut: { count: this.#cut, of: this.#samples },
      ...(this.#votes && this.#voteMetrics()),
      totalMs: this.#ms,
    };
  }

  /** Rules and smaller votes are replayed on complete pools alone: of a vote that was stopped the rest is not known. */
  #addVote(row: ResultRow, read: ReadRow): void {
    const scored = row.gold !== undefined;
    const cluster = clusterOf(read);
    const { correct: _, ...head } = read;
    const alone = readRow(row, this.run, { protocol: this.reading.protocol, samples: 1, weighting: 'none' });
    this.first.push({ id: head.id, ...(scored && { gold: read.gold, correct: alone.correct === true }), cluster });
    if (scored) {
      this.#clusters.push(cluster);
      const abstaining = abstainLabelOf(questionOfRow(row), this.run.abstainOption);
      for (const { answer } of read.samples) {
        const verdict = answer === undefined || answer === abstaining ? undefined : answer === read.gold;
        this.#single.push({ verdict, cluster });
      }
    }
    this.#complete &&= row.error !== undefined || row.samples.length >= row.planned;
    if (!this.#complete) return;
    const at = (samples: number, stop: StopRule) => readRow(row, this.run, { ...this.reading, samples, stop });
    const full = at(this.#planned, { rule: 'none' });
    for (let i = 0; scored && i < this.#planned; i++) {
      this.#bySamples[i] ??= [];
      this.#bySamples[i]!.push(verdictOf(i + 1 === this.#planned ? full : at(i + 1, { rule: 'none' })));
    }
    for (const stop of this.#rules) {
      const stopped = at(this.#planned, stop);
      const sums = this.#byRule.get(stop.rule) ?? { samples: 0, other: 0, verdicts: [] };
      this.#byRule.set(stop.rule, sums);
      sums.samples += stopped.samples.length;
      if (stopped.answer !== full.answer) sums.other++;
      if (scored) sums.verdicts.push(verdictOf(stopped));
    }
  }

  #voteMetrics(): Pick<PoolMetrics, 'singleSample' | 'bySamples' | 'stopRules'> {
    const scored = this.#clusters.length > 0;
    const clusters = this.#single.map(({ cluster }) => cluster);
    return {
      ...(scored && {
        singleSample: accuracy(
          this.#single.map(({ verdict }) => verdict),
          clusters,
        ),
      }),
      ...(this.#complete &&
        scored && {
          bySamples: this.#bySamples.map((verdicts, i) => ({ samples: i + 1, ...accuracy(verdicts, this.#clusters) })),
        }),
      ...(this.#complete &&
        this.#rules.length > 0 && {
          stopRules: Object.fromEntries(
            [...this.#byRule].map(([rule, { samples, other, verdicts }]) => [
              rule,
              {
                samples: samples / this.#rows,
                otherWinner: { count: other, of: this.#rows },
                ...(scored && { accuracy: accuracy(verdicts, this.#clusters) }),
              },
            ]),
          ),
        }),
    };
  }
}

function rulesFor(planned: number): StopRule[] {
  const window = planned >= 10 ? 5 : 3;
  const rules: StopRule[] = [{ rule: 'exact' }, { rule: 'beta' }];
  return planned > window ? [...rules, { rule: 'esc', window }] : rules;
}

function sharesOf(read: ReadRow, row: ResultRow, { abstainOption }: StoredRun): Shares | undefined {
  const labels = labelsOf(offered(questionOfRow(row), abstainOption));
  const gold = read.gold === undefined ? -1 : labels.indexOf(read.gold);
  if (gold < 0 || read.error || (read.samples.length < 2 && !read.scores)) return undefined;
  const cast = read.votes.reduce((sum, { count }) => sum + count, 0);
  const shareOf = (label: string) =>
    read.scores
      ? (read.scores.find(({ answer }) => answer === label)?.probability ?? 0)
      : cast === 0
        ? 1 / labels.length
        : (read.votes.find(({ answer }) => answer === label)?.count ?? 0) / cast;
  return { shares: labels.map(shareOf), gold };
}
