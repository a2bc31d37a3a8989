import { createHash } from 'node:crypto';
import type { Comparison } from '../score/measure.js';
import { type Reference, referenceLabel } from '../score/reference.js';
import { abstentionColumns, abstentionRows, abstentionTitle } from './abstention.js';
import { browse } from './browse.js';
import { accuracyChart, reliabilityChart, riskChart, votesChart } from './charts.js';
import { incidentLine, incidentsInBrief } from './incidents.js';
import { style } from './style.js';
import { type Markup, render, tag } from './svg.js';
import type { EvaluationReport, RunReport } from './types.js';
import { counted, decimal, duration, interval, percent, probability } from './words.js';

/**
 * The report as one HTML page that needs nothing else: no network, no library; in pieces, because no string holds the questions
 * of a large one. Its security policy allows only its own style and script. Texts of questions and models are data of the
 * page, shown as text and never parsed.
 */
export async function* htmlReport(report: EvaluationReport, { mostListed = listable } = {}): AsyncGenerator<string> {
  const policy = `default-src 'none'; style-src '${sha256(style)}'; script-src '${sha256(browse)}'; base-uri 'none'; form-action 'none'`;
  const head = [
    tag('meta', { charset: 'utf-8' }),
    tag('meta', { 'http-equiv': 'Content-Security-Policy', content: policy }),
    tag('meta', { name: 'viewport', content: 'width=device-width, initial-scale=1' }),
    tag('meta', { name: 'referrer', content: 'no-referrer' }),
    tag('title', {}, report.title),
    raw(`<style>${style}</style>`),
  ];
  const main = [
    tag('h1', {}, report.title),
    tag('p', { class: 'soft' }, `Evaluated ${report.created.replace('T', ' ').replace(/\.\d+Z$/, ' UTC')}`),
    tag('p', { class: 'caution' }, caution),
    section(
      'Results',
      incidents(report),
      results(report.runs),
      abstention(report.runs),
      comparisons(report.comparisons),
    ),
    section('Plots', charts(report.runs)),
    subjects(report.runs),
    section('How it was measured', ...report.runs.map(facts), notes(report.notes)),
    section('Questions', browser()),
  ];
  yield `<!doctype html>\n<html lang="en">${render(tag('head', {}, ...head))}<body>${render(tag('main', {}, ...main))}`;
  yield* data(report, mostListed);
  yield `<script>${browse}</script></body></html>\n`;
}

/** Characters of questions that a browser can be expected to open; the rest is in the results file alone. */
const listable = 200_000_000;

const caution =
  'Accuracy on examination questions says nothing certain about a patient. A figure is comparable only with figures of the same scorer, prompts and mode.';

function section(title: string, ...children: readonly (Markup | undefined)[]): Markup {
  return tag('section', {}, tag('h2', {}, title), ...children);
}

function results(runs: readonly RunReport[]): Markup {
  const published = runs.flatMap(run => run.references);
  const titles = ['Run', 'Right', 'Accuracy', '95 % interval', 'Answered', 'New tokens', 'Time'];
  if (published.length > 0) titles.splice(4, 0, 'Published');
  const head = tag(
    'tr',
    {},
    ...titles.map((title, i) => tag('th', { scope: 'col', class: i > 0 ? 'number' : undefined }, title)),
  );
  const body = runs.map(run => {
    const { accuracy, newTokensPerQuestion, msPerQuestion } = run.metrics;
    const cells: Content[] = accuracy
      ? [
          `${accuracy.correct} of ${accuracy.n}`,
          percent(accuracy.accuracy),
          interval(accuracy.wilson),
          percent(accuracy.answeredShare),
        ]
      : ['–', '–', '–', '–'];
    if (published.length > 0)
      cells.splice(
        3,
        0,
        run.references.map(reference => publishedCell(reference, published.indexOf(reference))),
      );
    const numbers = [...cells, Math.round(newTokensPerQuestion), duration(msPerQuestion)];
    return tag(
      'tr',
      {},
      tag('td', {}, tag('b', {}, run.name)),
      ...numbers.map(cell => tag('td', { class: 'number' }, cell)),
    );
  });
  const table = tag('table', {}, tag('thead', {}, head), tag('tbody', {}, ...body));
  const caption = 'Tokens and time are means for a question. Questions without an answer count as wrong.';
  const labels = published.map(reference => {
    const kind = reference.reproducible ? '' : 'not reproducible: ';
    return tag('li', {}, `${kind}${reference.model}, ${reference.mode}, ${referenceLabel(reference)}`);
  });
  const list =
    labels.length > 0 &&
    tag('div', { class: 'published' }, 'Published, each measured in its own way:', tag('ol', {}, ...labels));
  return tag('div', {}, tag('div', { class: 'scroll' }, table), tag('p', { class: 'soft' }, caption), list);
}

function abstention(runs: readonly RunReport[]): Markup | undefined {
  const rows = abstentionRows(runs);
  if (rows.length === 0) return undefined;
  const head = abstentionColumns.map((title, i) =>
    tag('th', { scope: 'col', class: i > 0 ? 'number' : undefined }, title),
  );
  const body = rows.map(([name, ...cells]) =>
    tag('tr', {}, tag('td', {}, tag('b', {}, name!)), ...cells.map(cell => tag('td', { class: 'number' }, cell))),
  );
  const table = tag('table', {}, tag('thead', {}, tag('tr', {}, ...head)), tag('tbody', {}, ...body));
  return tag('div', {}, tag('h3', {}, abstentionTitle), tag('div', { class: 'scroll' }, table));
}

/** What befell the engine: a sentence, and a list to open. */
function incidents(report: EvaluationReport): Markup | undefined {
  const brief = incidentsInBrief(report);
  if (brief === undefined) return undefined;
  const lines = report.incidents.map(incident => tag('li', {}, incidentLine(incident)));
  return tag('details', {}, tag('summary', { class: 'caution' }, brief), tag('ul', { class: 'soft' }, ...lines));
}

type Content = string | number | readonly Markup[];

/** The figure and the number of its label below the table. */
function publishedCell(reference: Reference, index: number): Markup {
  return tag('div', {}, `${reference.accuracy.toFixed(1)} %`, tag('sup', {}, ` ${index + 1}`));
}

function comparisons(pairs: readonly Comparison[]): Markup | undefined {
  if (pairs.length === 0) return undefined;
  const items = pairs.map(pair => {
    const points = (share: number) => (100 * share).toFixed(1).replace('-', '−');
    const counts = `only the first was right on ${pair.onlyFirst}, only the second on ${pair.onlySecond} of ${pair.n} questions`;
    const difference = `${points(pair.difference)} points (95 % ${points(pair.low)} to ${points(pair.high)})`;
    return tag(
      'li',
      {},
      tag('b', {}, `${pair.first} − ${pair.second}`),
      `: ${difference}; ${counts}; McNemar ${probability(pair.p)}`,
    );
  });
  return tag('ul', {}, ...items);
}

function charts(runs: readonly RunReport[]): Markup {
  const colors = [tag('span', { class: 'key right' }), 'right', tag('span', { class: 'key wrong' }), 'wrong'];
  const figures = [
    figure('Accuracy', accuracyChart(runs), [
      'Bars are 95 % Wilson intervals. Rings are published figures, measured in another way: see the table.',
    ]),
    ...runs.map(run =>
      figure(`Calibration: ${run.name}`, reliabilityChart(run), [
        `How often answers of each confidence were right. On the dashed line, agreement would be a probability. ECE ${decimal(run.metrics.calibration?.ece)}, AUROC ${decimal(run.metrics.auroc)}.`,
      ]),
    ),
    ...runs.map(run =>
      figure(`Votes: ${run.name}`, votesChart(run), ['Questions by the votes of their leading answer:', ...colors]),
    ),
    figure('Risk and coverage', riskChart(runs), [
      'Errors among the answers that would be given if only the surest were.',
    ]),
  ];
  return tag('div', { class: 'charts' }, ...figures);
}

function figure(title: string, chart: Markup | undefined, caption: readonly (string | Markup)[]): Markup | undefined {
  if (!chart) return undefined;
  return tag('figure', {}, tag('h3', {}, title), chart, tag('figcaption', {}, ...caption));
}

function subjects(runs: readonly RunReport[]): Markup | undefined {
  const names = [...new Set(runs.flatMap(run => run.metrics.bySubject.map(({ subject }) => subject)))];
  if (names.length === 0) return undefined;
  const head = tag(
    'tr',
    {},
    tag('th', { scope: 'col' }, 'Subject'),
    ...runs.map(run => tag('th', { scope: 'col', class: 'number' }, run.name)),
  );
  const body = names.map(name => {
    const cells = runs.map(run => {
      const found = run.metrics.bySubject.find(({ subject }) => subject === name)?.accuracy;
      const text = found
        ? `${percent(found.accuracy)} (${found.correct} of ${found.n}; ${interval(found.wilson)})`
        : '–';
      return tag('td', { class: 'number' }, text);
    });
    return tag('tr', {}, tag('td', {}, name), ...cells);
  });
  return section(
    'By subject',
    tag('div', { class: 'scroll' }, tag('table', {}, tag('thead', {}, head), tag('tbody', {}, ...body))),
  );
}

function facts(run: RunReport, index: number): Markup {
  const { metrics } = run;
  const decisions = Object.entries(metrics.decisions).map(([name, count]) => `${name} ${count}`);
  const entries: [string, string | undefined][] = [
    ...run.facts.map(({ name, value }): [string, string] => [name, value]),
    ['questions', String(metrics.items)],
    [
      'distinct questions',
      metrics.accuracy?.distinct ? `${metrics.accuracy.distinct}; intervals count repeats once` : undefined,
    ],
    ['samples without an answer', metrics.unparsed.of > 0 ? counted(metrics.unparsed) : undefined],
    ['ties', metrics.samplesPerQuestion > 1 ? counted(metrics.ties) : undefined],
    ['forced answers', metrics.forced.count > 0 ? counted(metrics.forced) : undefined],
    ['could not be asked', metrics.failed.count > 0 ? counted(metrics.failed) : undefined],
    ['decisions', decisions.length > 0 ? decisions.join(', ') : undefined],
    ['Brier score of the answer', metrics.brierTop === undefined ? undefined : decimal(metrics.brierTop)],
    [
      'area under risk–coverage',
      metrics.riskCoverage &&
        `${decimal(metrics.riskCoverage.aurc)} (${decimal(metrics.riskCoverage.excess)} above a perfect order)`,
    ],
  ];
  const list = entries.flatMap(([name, value]) =>
    value === undefined ? [] : [tag('dt', {}, name), tag('dd', {}, value)],
  );
  return tag(
    'details',
    { class: 'facts', open: index === 0 ? '' : undefined },
    tag('summary', {}, run.name),
    tag('dl', {}, ...list),
  );
}

function notes(list: readonly string[]): Markup | undefined {
  return list.length === 0 ? undefined : tag('ul', { class: 'soft' }, ...list.map(note => tag('li', {}, note)));
}

/** The controls; the script fills them and the list. */
function browser(): Markup {
  const select = (id: string, label: string, ...options: readonly Markup[]) =>
    tag('label', {}, label, tag('select', { id }, ...options));
  const option = (value: string, text: string) => tag('option', { value }, text);
  const controls = tag(
    'form',
    { id: 'filters' },
    tag(
      'label',
      { class: 'search' },
      'Search',
      tag('input', { id: 'search', type: 'search', placeholder: 'words in question, options or id' }),
    ),
    select('run', 'Run'),
    select(
      'verdict',
      'Verdict',
      option('', 'all'),
      option('right', 'right'),
      option('wrong', 'wrong'),
      option('none', 'no answer'),
      option('open', 'not scored'),
    ),
    select('subject', 'Subject'),
    select('decision', 'Decision'),
    select(
      'order',
      'Order',
      option('file', 'as asked'),
      option('least', 'least agreement first'),
      option('most', 'most agreement first'),
    ),
  );
  const button = (name: string, text: string) => tag('button', { type: 'button', class: name }, text);
  const pager = (live?: string) =>
    tag(
      'div',
      { class: 'pager' },
      button('back', 'Back'),
      button('next', 'Next'),
      tag('span', { class: 'state soft', 'aria-live': live }, ''),
    );
  const list = tag('ol', { id: 'rows', class: 'rows' });
  return tag(
    'div',
    {},
    tag(
      'noscript',
      {},
      tag('p', {}, 'The list of questions needs JavaScript, which is part of this page and loads nothing.'),
    ),
    tag('div', { id: 'browser', hidden: '' }, controls, pager('polite'), list, pager()),
  );
}

/** The questions as data of the page. Of those beyond `most` characters only the number is told. */
async function* data({ runs, rows }: EvaluationReport, most: number): AsyncGenerator<string> {
  yield `<script type="application/json" id="data">{"runs":${inScript(runs.map(run => run.name))},"rows":[`;
  let size = 0;
  let left = 0;
  for await (const row of rows()) {
    if (size >= most) {
      left++;
      continue;
    }
    const text = inScript(row);
    yield size === 0 ? text : `,${text}`;
    size += text.length;
  }
  yield `],"left":${left}}</script>`;
}

/** JSON that cannot end the script element it stands in, nor open a comment in it. */
function inScript(value: unknown): string {
  return JSON.stringify(value).replace(
    /[<>&\u2028\u2029]/g,
    char => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

function sha256(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`;
}

function raw(html: string): Markup {
  return { html };
}
