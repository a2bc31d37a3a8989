import { join } from 'node:path';
import { checked } from '../../check/schema.js';
import type { Config } from './config.js';
import { type Incident, readIncidents } from './incidents.js';
import { type Journal, openJournal } from './journal.js';
import { readHeader, resultsName, rowsIn } from './lines.js';
import type { ResultRow } from './rows.js';
import { configSchema, rowChecker } from './schema.js';
import type { EvaluationConfig } from './types.js';

/** The results of an evaluation in a folder. Rows are read anew at every pass: all of them may not fit in memory. */
export interface StoredEvaluation {
  readonly dir: string;
  readonly created: string;
  readonly config: EvaluationConfig;
  /** What befell the engine meanwhile. */
  readonly incidents: readonly Incident[];
  /**
   * In the order in which they were written.
   *
   * @throws MeditronError `ERR_INPUT` with line and field for a row that is not as it was written
   */
  rows(): AsyncIterable<ResultRow>;
}

/**
 * The results of an evaluation in a folder, also while it still runs.
 *
 * @throws MeditronError `ERR_INPUT` if there are none, they are not those of an evaluation, or their incidents are others'
 */
export async function readEvaluation(dir: string): Promise<StoredEvaluation> {
  const path = join(dir, resultsName);
  const { config: packed, created, id } = await readHeader(path);
  const config = unpackConfig(packed, path);
  const incidents = await readIncidents(dir, id);
  return { dir, created, config, incidents, rows: () => rowsIn(path, rowChecker(config.runs)) };
}

/** Opens the results of an evaluation for writing; see {@link openJournal}. */
export function openEvaluation(
  dir: string,
  config: EvaluationConfig,
  { resume }: { readonly resume: boolean },
): Promise<Journal<ResultRow>> {
  return openJournal(dir, packConfig(config), { resume, check: rowChecker(config.runs), advise });
}

/** Which rules read a run's texts is no option: answers that were read by two kinds of rules are not counted together. */
function advise(differing: readonly string[]): string | undefined {
  if (!differing.some(difference => /^runs\..*\.reading: /.test(difference))) return undefined;
  return 'Another release began it, which read answers by other rules: report what is there (`meditron eval --rescore`), or begin anew in another folder. What differs';
}

/** As it is written: lists by name, so that two configurations that differ can be told apart field by field. */
export function packConfig({ runs, subject, ...rest }: EvaluationConfig): Config {
  return {
    ...rest,
    subject: Object.fromEntries(subject.map(({ name, value }) => [name, value])),
    subjectOrder: subject.map(({ name }) => name),
    runs: Object.fromEntries(runs.map(run => [run.key, run])),
    runOrder: runs.map(run => run.key),
  };
}

function unpackConfig(value: Config, path: string): EvaluationConfig {
  const { subject, subjectOrder, runs, runOrder, ...rest } = checked(configSchema, value, `${path}, line 1`);
  return {
    ...rest,
    subject: subjectOrder.map(name => ({ name, value: subject[name]! })),
    runs: runOrder.map(key => runs[key]!),
  };
}
