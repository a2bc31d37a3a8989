import { join } from 'node:path';
import { MeditronError } from '../../check/errors.js';
import { reportOf } from '../report/report.js';
import type { EvaluationReport, ListedRow, RunReport } from '../report/types.js';
import { counted, interval } from '../report/words.js';
import { accuracyOf, compare, measure } from '../score/measure.js';
import type { Reading, ReadRow } from '../score/read.js';
import { readEvaluation } from '../storage/evaluation.js';
import type { Fact } from '../storage/types.js';
import type { EvaluatedMember } from './folder.js';
import { type PanelOutcome, panelOutcomes } from './outcomes.js';

/**
 * The report of a panel from the results of its models, each in a folder of its own within `dir`: the panel in each mode, then its models, and the panel paired with each of them.
 * Questions count that all of them were asked. Nothing is stored of the panel: its answers follow from the models' rows by the rule.
 *
 * @throws MeditronError as `readEvaluation` and {@link reportOf}; `ERR_OPTION` if the models have no run in common
 */
export async function panelReportOf(
  dir: string,
  members: readonly EvaluatedMember[],
  reading: Reading = {},
): Promise<EvaluationReport> {
  const reports: EvaluationReport[] = [];
  for (const { name } of members) reports.push(await reportOf(await readEvaluation(join(dir, name)), reading));
  const keys = reports[0]!.runs.map(({ run }) => run.key);
  const panels = keys.flatMap(key => {
    const runs = reports.map(({ runs }) => runs.find(({ run }) => run.key === key));
    return runs.every(run => run !== undefined) ? [panelRun(members, runs)] : [];
  });
  const rows = panels.reduce((sum, { outcomes }) => sum + outcomes.length, 0);
  if (rows === 0) throw new MeditronError('ERR_OPTION', `The models in ${dir} have no question in common yet`);
  const own = reports.flatMap(({ runs }, i) =>
    runs.map(run => ({ ...run, name: `${run.name} (${members[i]!.name})` })),
  );
  const comparisons = panels.flatMap(panel =>
    own.filter(({ run }) => run.key === panel.run.key).map(run => compare(panel, run)),
  );
  return {
    title: `Panel of ${members.map(({ name }) => name).join(', ')}: ${reports[0]!.title.replace(/, [^,]*$/, '')}`,
    created: reports[0]!.created,
    notes: [...new Set(reports.flatMap(({ notes }, i) => notes.map(note => `${members[i]!.name}: ${note}`)))],
    incidents: reports.flatMap(({ incidents }) => incidents),
    runs: [...panels, ...own],
    comparisons: comparisons.filter(({ n }) => n > 0),
    rows: listed,
  };

  async function* listed(): AsyncGenerator<ListedRow> {
    for await (const row of reports[0]!.rows()) {
      const key = reports[0]!.runs[row.run]!.run.key;
      const place = panels.findIndex(({ run }) => run.key === key);
      const outcome = panels[place]?.byId.get(row.id);
      if (outcome) yield panelRow(row, outcome, place);
    }
    let before = panels.length;
    for (const report of reports) {
      for await (const row of report.rows()) yield { ...row, run: row.run + before };
      before += report.runs.length;
    }
  }
}

interface PanelRun extends RunReport {
  readonly outcomes: readonly PanelOutcome[];
  readonly byId: ReadonlyMap<string, PanelOutcome>;
}

function panelRun(members: readonly EvaluatedMember[], runs: readonly RunReport[]): PanelRun {
  const outcomes = panelOutcomes(runs.map((run, i) => ({ family: members[i]!.family, outcomes: run.outcomes })));
  const [first] = runs as readonly [RunReport];
  return {
    name: `panel of ${members.length}: ${first.name}`,
    run: first.run,
    facts: [...membersFacts(members), ...ruleFacts(outcomes), ...agreementFacts(outcomes)],
    metrics: measure(outcomes),
    pool: {
      ...{ earlyStops: none, forcedSamples: none, cut: none },
      totalMs: runs.reduce((sum, { pool }) => sum + pool.totalMs, 0),
    },
    references: [],
    outcomes,
    standIn: none,
    byId: new Map(outcomes.map(outcome => [outcome.id, outcome])),
  };
}

const none = { count: 0, of: 0 } as const;

function membersFacts(members: readonly EvaluatedMember[]): Fact[] {
  return [
    { name: 'models', value: members.map(({ name, family }) => `${name} (family ${family})`).join(', ') },
    {
      name: 'rule',
      value:
        'a family decides if all of its models that agree with themselves say the same; the panel agrees if at least two families, and half of those heard, decide and all say the same; its answer is that of most families that decide. What is counted as a sample is a family',
    },
  ];
}

/** How often the panel was right by what it decided. */
function ruleFacts(outcomes: readonly PanelOutcome[]): Fact[] {
  const scored = outcomes.filter(({ gold }) => gold !== undefined);
  return (['agree', 'split', 'abstain'] as const).flatMap(decision => {
    const own = scored.filter(outcome => outcome.decision === decision);
    if (own.length === 0) return [];
    const { correct, n, wilson } = accuracyOf(own);
    const words = { agree: 'where it agrees', split: 'where families differ', abstain: 'where it abstains' }[decision];
    return [
      { name: `right ${words}`, value: `${counted({ count: correct, of: n })}, 95 % interval ${interval(wilson)}` },
    ];
  });
}

/** Risk and coverage: of the questions on which so many families agree, or more, how many were wrong. */
function agreementFacts(outcomes: readonly PanelOutcome[]): Fact[] {
  const scored = outcomes.filter(({ gold }) => gold !== undefined);
  const levels = [...new Set(scored.map(({ confidence = 0 }) => confidence))].filter(level => level > 0);
  return levels
    .sort((a, b) => b - a)
    .map(level => {
      const covered = scored.filter(({ confidence = 0 }) => confidence >= level);
      const wrong = covered.filter(({ correct }) => correct !== true).length;
      const { agreeing, heard } = scored.find(({ confidence }) => confidence === level)!.verdict;
      return {
        name: `wrong where ${agreeing} of ${heard} families agree, or more`,
        value: `${counted({ count: wrong, of: covered.length })}; that is ${counted({ count: covered.length, of: scored.length })} of the questions`,
      };
    });
}

/** A question of the panel as the page lists it: one text a family. */
function panelRow(row: ReadRow, { verdict, ...outcome }: PanelOutcome, run: number): ListedRow {
  const { question, options, context, mode, protocol } = row;
  const { confidence: _, samples: __, ...shown } = outcome;
  return {
    ...shown,
    question,
    ...(options && { options }),
    ...(context && { context }),
    mode,
    protocol,
    ...(verdict.reason !== null && { reason: verdict.reason }),
    samples: verdict.families.map(({ family, answer, standing }) => ({
      text: `${family}: ${answer ?? standing}`,
      ...(answer !== null && { answer }),
    })),
    run,
  };
}
