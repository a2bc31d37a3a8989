/** What a campaign is asked for: `count` trials, each drawn from the seed and its own index. */
export interface CampaignOptions {
  readonly count: number;
  /** No trial begins after so many seconds; for campaigns that say so. */
  readonly seconds?: number | undefined;
  readonly seed: number;
  /** Only the trial of this index. */
  readonly only?: number | undefined;
  /** Engines in processes of their own, or in the app's. Default: what the campaign is about, both where both make a promise. */
  readonly isolate?: boolean | undefined;
  /** Where files of a single trial are kept; by default nothing is. */
  readonly folder?: string | undefined;
  /** The model that is run where the trials do not bring their own. Default: one that ships. */
  readonly model?: string | undefined;
  readonly onProgress?: ((done: number, total: number, faults: number) => void) | undefined;
}

/** What may be at fault, each counted. A campaign without faults has kept its promise. */
export interface Faults {
  /** Apps that ended though nothing had asked them to. */
  readonly hostDeaths: number;
  /** Trials that did not end in their time. */
  readonly hangs: number;
  /** Changed files that were taken as good where none may be. */
  readonly accepted: number;
  /** Errors without a code of ours. */
  readonly untyped: number;
  /** Any other promise that was broken: a process left behind, another text, another exit code. */
  readonly broken: number;
}

export interface Outcome extends Faults {
  readonly tried: number;
  /** Milliseconds of the longest trial. */
  readonly slowest: number;
  /** Every fault in words, with the index to repeat it by. */
  readonly faults: readonly string[];
  /** What the campaign counts or measures besides. */
  readonly [figure: string]: unknown;
}

export type Campaign = (options: CampaignOptions) => Promise<Outcome>;

/** Counts trials and faults as they come. */
export class Tally {
  readonly faults: string[] = [];
  readonly #counts = { hostDeaths: 0, hangs: 0, accepted: 0, untyped: 0, broken: 0 };
  readonly #options: CampaignOptions;
  readonly #started = performance.now();
  #tried = 0;
  #slowest = 0;

  constructor(options: CampaignOptions) {
    this.#options = options;
  }

  /** The indices to try. */
  get indices(): number[] {
    const { only, count } = this.#options;
    return only === undefined ? Array.from({ length: count }, (_, index) => index) : [only];
  }

  fault(kind: keyof Faults, index: number, words: string): void {
    this.#counts[kind]++;
    this.faults.push(`--only ${index}: ${kind}: ${words}`);
  }

  /** A trial is over, whatever became of it; or several, of which the longest took so long. */
  done(milliseconds: number, trials = 1): void {
    this.#tried += trials;
    this.#slowest = Math.max(this.#slowest, milliseconds);
    const { only, count, onProgress } = this.#options;
    onProgress?.(this.#tried, only === undefined ? count : 1, this.faults.length);
  }

  outcome(figures: Readonly<Record<string, unknown>> = {}): Outcome {
    return {
      tried: this.#tried,
      ...this.#counts,
      slowest: Math.round(this.#slowest),
      msEach: rounded((performance.now() - this.#started) / Math.max(1, this.#tried)),
      ...figures,
      faults: this.faults,
    };
  }
}

/** The value below which a share of all values lies. 0 of none. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
}

/** Two digits behind the point are more than any figure here is sure of. */
export function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}
