import { Chalk, type ChalkInstance } from 'chalk';
import stringWidth from 'string-width';
import wrapAnsi from 'wrap-ansi';
import { referenceLabel } from '../score/reference.js';
import { abstentionColumns, abstentionRows, abstentionTitle } from './abstention.js';
import { incidentLine, incidentsInBrief } from './incidents.js';
import type { EvaluationReport, RunReport } from './types.js';
import { counted, decimal, duration, interval, percent, probability } from './words.js';

export interface TerminalOptions {
  /** Columns; default 100. */
  readonly width?: number;
  /** Default false. */
  readonly color?: boolean;
}

/** The report as text: a table of the runs with counts and 95 % intervals, published figures with their labels, notes. */
export function terminalReport(report: EvaluationReport, { width = 100, color = false }: TerminalOptions = {}): string {
  const chalk = new Chalk({ level: color ? 1 : 0 });
  const { runs } = report;
  const sections = [
    chalk.bold(clean(report.title)),
    table(runs.map(cellsOf), header, width, chalk),
    ...runs.map(run => detail(run, width, chalk)),
    subjects(runs, width, chalk),
    abstention(runs, width, chalk),
    comparisons(report, chalk),
    incidents(report, width, chalk),
    notes(report, width, chalk),
  ];
  return `${sections.filter(section => section !== '').join('\n\n')}\n`;
}

const header = ['run', 'right', 'accuracy', '95 % interval', 'answered', 'tokens', 'time'];

function cellsOf({ name, metrics }: RunReport): string[] {
  const { accuracy } = metrics;
  const cost = [Math.round(metrics.newTokensPerQuestion).toString(), duration(metrics.msPerQuestion)];
  if (!accuracy) return [name, '–', '–', '–', '–', ...cost];
  return [
    name,
    `${accuracy.correct} of ${accuracy.n}`,
    percent(accuracy.accuracy),
    interval(accuracy.wilson),
    percent(accuracy.answeredShare),
    ...cost,
  ];
}

function detail(run: RunReport, width: number, chalk: ChalkInstance): string {
  const { metrics } = run;
  const lines = [chalk.bold(clean(run.name))];
  const add = (name: string, value: string) => lines.push(...hanging(`  ${clean(name)}: ${clean(value)}`, width));
  for (const { name, value } of run.facts) add(name, value);
  if (metrics.accuracy?.distinct)
    add('distinct questions', `${metrics.accuracy.distinct}; intervals count repeats once`);
  if (metrics.calibration) {
    add(
      'confidence',
      `${metrics.confidence}; ECE ${decimal(metrics.calibration.ece)}, Brier (answer) ${decimal(metrics.brierTop)}, AUROC ${decimal(metrics.auroc)}, AURC ${decimal(metrics.riskCoverage?.aurc)}`,
    );
  }
  add('samples without an answer', counted(metrics.unparsed));
  if (metrics.samplesPerQuestion > 1) add('ties', counted(metrics.ties));
  if (metrics.forced.count > 0) add('forced answers', counted(metrics.forced));
  if (metrics.failed.count > 0) add('could not be asked', counted(metrics.failed));
  const decisions = Object.entries(metrics.decisions);
  if (decisions.length > 0) add('decisions', decisions.map(([name, count]) => `${name} ${count}`).join(', '));
  for (const reference of run.references)
    add(
      reference.reproducible ? 'published' : 'published, not reproducible',
      `${reference.model} ${reference.mode}: ${referenceLabel(reference)}`,
    );
  return lines.join('\n');
}

function subjects(runs: readonly RunReport[], width: number, chalk: ChalkInstance): string {
  const names = [...new Set(runs.flatMap(run => run.metrics.bySubject.map(({ subject }) => subject)))];
  if (names.length === 0) return '';
  const rows = names.map(name => [
    name,
    ...runs.map(run => {
      const found = run.metrics.bySubject.find(({ subject }) => subject === name)?.accuracy;
      return found ? `${percent(found.accuracy)} (${found.correct} of ${found.n})` : '–';
    }),
  ]);
  return table(rows, ['subject', ...runs.map(run => run.name)], width, chalk);
}

function abstention(runs: readonly RunReport[], width: number, chalk: ChalkInstance): string {
  const rows = abstentionRows(runs);
  if (rows.length === 0) return '';
  return [chalk.bold(abstentionTitle), table(rows, abstentionColumns, width, chalk)].join('\n');
}

function comparisons({ comparisons: pairs }: EvaluationReport, chalk: ChalkInstance): string {
  if (pairs.length === 0) return '';
  const lines = pairs.map(pair => {
    const points = `${(100 * pair.difference).toFixed(1)} points (${(100 * pair.low).toFixed(1)} to ${(100 * pair.high).toFixed(1)})`;
    const counts = `only the first right ${pair.onlyFirst}, only the second ${pair.onlySecond} of ${pair.n}`;
    return `  ${clean(pair.first)} − ${clean(pair.second)}: ${points}; ${counts}; McNemar ${probability(pair.p)}`;
  });
  return [chalk.bold('Paired comparison'), ...lines].join('\n');
}

function incidents(report: EvaluationReport, width: number, chalk: ChalkInstance): string {
  const brief = incidentsInBrief(report);
  if (brief === undefined) return '';
  const lines = report.incidents.flatMap(incident => hanging(`  - ${clean(incidentLine(incident))}`, width));
  return [chalk.bold('The engine'), ...hanging(`  ${clean(brief)}`, width), ...lines].join('\n');
}

function notes({ notes: list }: EvaluationReport, width: number, chalk: ChalkInstance): string {
  if (list.length === 0) return '';
  return [chalk.bold('Notes'), ...list.flatMap(note => hanging(`  - ${clean(note)}`, width))].join('\n');
}

/** Columns as wide as they need; where that is too wide, each row becomes a block of lines. */
function table(
  rows: readonly (readonly string[])[],
  names: readonly string[],
  width: number,
  chalk: ChalkInstance,
): string {
  const cells = rows.map(row => row.map(clean));
  const titles = names.map(clean);
  const widths = titles.map((title, i) => Math.max(stringWidth(title), ...cells.map(row => stringWidth(row[i]!))));
  const total = widths.reduce((sum, w) => sum + w + 2, -2);
  if (total > width) {
    return cells
      .map(([name, ...rest]) => [chalk.bold(name!), ...rest.map((cell, i) => `  ${titles[i + 1]}: ${cell}`)].join('\n'))
      .join('\n');
  }
  const line = (row: readonly string[]) =>
    row
      .map((cell, i) =>
        i === 0 ? cell + space(widths[i]! - stringWidth(cell)) : space(widths[i]! - stringWidth(cell)) + cell,
      )
      .join('  ');
  return [chalk.dim(line(titles)), ...cells.map(line)].join('\n');
}

function hanging(text: string, width: number): string[] {
  const [first = '', ...rest] = wrapAnsi(text, Math.max(20, width), { trim: false })
    .split('\n')
    .map(line => line.trimEnd());
  return rest.length === 0
    ? [first]
    : [
        first,
        ...wrapAnsi(rest.join(' ').trim(), Math.max(16, width - 4))
          .split('\n')
          .map(line => `    ${line}`),
      ];
}

/** Names come from files: no control characters and no marks that turn text around reach the terminal. */
function clean(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]+/g, ' ');
}

function space(count: number): string {
  return ' '.repeat(Math.max(0, count));
}
