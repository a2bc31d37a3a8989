import * as v from 'valibot';
import { incidentLine } from '../../evaluate/report/incidents.js';
import { compareEvaluations, reportOf } from '../../evaluate/report/report.js';
import type { EvaluationReport, ListedRow } from '../../evaluate/report/types.js';
import { readEvaluation } from '../../evaluate/storage/evaluation.js';
import { checkedBody } from './body.js';
import type { LiveEvaluation } from './evaluation.js';
import type { ReportData, ReportRows } from './protocol.js';

/** Rows that are answered at once at most. */
const mostRows = 200;

const whole = (least: number, most: number) =>
  v.pipe(
    v.string(),
    v.transform(Number),
    v.integer(`an integer from ${least} to ${most}`),
    v.minValue(least),
    v.maxValue(most),
  );

const query = v.strictObject({
  from: v.optional(whole(0, 1e9), '0'),
  count: v.optional(whole(1, mostRows), '50'),
  run: v.optional(whole(0, 1000)),
  only: v.optional(v.picklist(['wrong', 'right', 'none'])),
});

export type RowsQuery = v.InferOutput<typeof query>;

/** @throws RequestError 400 */
export function rowsQuery(given: Record<string, string>): RowsQuery {
  return checkedBody(given, query);
}

/** Its figures, from the rows that there are. */
export async function reportData(run: LiveEvaluation): Promise<ReportData> {
  const complete = !run.running;
  if (run.hasRows) return dataOf(await report(run), complete);
  const { title, created, notes } = run.state;
  return { title, created, notes, incidents: [], runs: [], comparisons: [], complete, rows: 0 };
}

/** @throws MeditronError `ERR_INPUT` if they have no run in common */
export async function comparedData(first: LiveEvaluation, second: LiveEvaluation): Promise<ReportData> {
  const [a, b] = [await readEvaluation(first.work.out), await readEvaluation(second.work.out)];
  return dataOf(await compareEvaluations(a, b, {}, ['1', '2']), !first.running && !second.running);
}

/** Some of its questions, in the order in which they were answered. */
export async function rowsOf(run: LiveEvaluation, { from, count, run: place, only }: RowsQuery): Promise<ReportRows> {
  const rows: ListedRow[] = [];
  let total = 0;
  if (!run.hasRows) return { from, total, rows };
  for await (const row of (await report(run)).rows()) {
    if ((place !== undefined && row.run !== place) || (only !== undefined && verdictOf(row) !== only)) continue;
    if (total >= from && rows.length < count) rows.push(row);
    total++;
  }
  return { from, total, rows };
}

function verdictOf({ answer, correct }: ListedRow): RowsQuery['only'] {
  if (answer === undefined) return 'none';
  return correct === undefined ? undefined : correct ? 'right' : 'wrong';
}

/** Of the questions that were asked for here; the folder may hold more. */
async function report({ work }: LiveEvaluation): Promise<EvaluationReport> {
  const items = work.questions.set.items.slice(0, work.limit);
  return reportOf(await readEvaluation(work.out), {}, new Set(items.map(item => item.id)));
}

function dataOf(
  { title, created, notes, incidents, runs, comparisons }: EvaluationReport,
  complete: boolean,
): ReportData {
  return {
    ...{ title, created, notes, comparisons, complete },
    incidents: incidents.map(incidentLine),
    runs: runs.map(({ outcomes: _, ...run }) => run),
    rows: runs.reduce((sum, { outcomes }) => sum + outcomes.length, 0),
  };
}
