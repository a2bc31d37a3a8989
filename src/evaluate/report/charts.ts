import type { Outcome } from '../score/outcome.js';
import type { ReliabilityBin } from '../score/statistics.js';
import { type Markup, tag } from './svg.js';
import type { RunReport } from './types.js';
import { interval, percent } from './words.js';

/** The plots of the page, drawn as SVG here so that the page needs no library. Colours are classes, for light and dark. */

const width = 480;
const height = 330;
const plot = { left: 52, right: 16, top: 14, bottom: 46 };
const inner = { width: width - plot.left - plot.right, height: height - plot.top - plot.bottom };

/** Accuracy of each run with its interval; published figures as rings. */
export function accuracyChart(runs: readonly RunReport[]): Markup | undefined {
  const measured = runs.filter(run => run.metrics.accuracy);
  if (measured.length === 0) return undefined;
  const row = 46;
  const total = measured.length * row + 44;
  const left = 8;
  const x = (share: number) => left + share * (width - 2 * left);
  const marks = measured.map((run, i) => {
    const { accuracy, wilson, n } = run.metrics.accuracy!;
    const y = i * row + 34;
    return [
      tag('text', { x: left, y: y - 14, class: 'label' }, shorten(run.name, 44)),
      tag('text', { x: x(1), y: y - 14, class: 'tick', 'text-anchor': 'end' }, `${percent(accuracy)} of ${n}`),
      tag('line', { x1: x(0), x2: x(1), y1: y, y2: y, class: 'track' }),
      tag('line', { x1: x(wilson.low), x2: x(wilson.high), y1: y, y2: y, class: 'whisker' }),
      tag('circle', { cx: x(accuracy), cy: y, r: 5.5, class: 'dot' }, tag('title', {}, interval(wilson))),
      run.references.map(reference =>
        tag(
          'circle',
          { cx: x(reference.accuracy / 100), cy: y, r: 5, class: 'ring' },
          tag('title', {}, `published: ${reference.accuracy} %, ${reference.source}`),
        ),
      ),
    ];
  });
  const ticks = [0, 0.25, 0.5, 0.75, 1].map(share => [
    tag('line', { x1: x(share), x2: x(share), y1: 24, y2: total - 26, class: 'grid' }),
    tag(
      'text',
      {
        x: x(share),
        y: total - 10,
        class: 'tick',
        'text-anchor': share === 0 ? 'start' : share === 1 ? 'end' : 'middle',
      },
      `${share * 100} %`,
    ),
  ]);
  const summary = measured.map(run => `${run.name}: ${percent(run.metrics.accuracy!.accuracy)}`).join('; ');
  return svg(width, total, `Accuracy with 95 % intervals. ${summary}`, ticks.flat(), marks.flat(2));
}

/** How often answers of each confidence were right, with Wilson intervals; the area of a dot is its number of questions. */
export function reliabilityChart(run: RunReport): Markup | undefined {
  const bins = run.metrics.calibration?.bins;
  if (!bins || bins.length === 0) return undefined;
  const most = Math.max(...bins.map(bin => bin.n));
  const marks = bins.map((bin: ReliabilityBin) => {
    const cx = px(bin.confidence);
    return [
      tag('line', { x1: cx, x2: cx, y1: py(bin.wilson.low), y2: py(bin.wilson.high), class: 'whisker' }),
      tag(
        'circle',
        { cx, cy: py(bin.accuracy), r: 3.5 + 5.5 * Math.sqrt(bin.n / most), class: 'dot' },
        tag('title', {}, `${percent(bin.confidence)}: ${bin.correct} of ${bin.n} right (${interval(bin.wilson)})`),
      ),
    ];
  });
  const diagonal = tag('line', { x1: px(0), y1: py(0), x2: px(1), y2: py(1), class: 'ideal' });
  const summary = bins.map(bin => `${percent(bin.confidence)}: ${bin.correct} of ${bin.n} right`).join('; ');
  return svg(
    width,
    height,
    `Calibration of ${run.name}. ${summary}`,
    frame(`confidence (${run.metrics.confidence})`, 'right'),
    diagonal,
    marks.flat(),
  );
}

/** Errors among the answers given, when only the surest are given. */
export function riskChart(runs: readonly RunReport[]): Markup | undefined {
  const curves = runs.filter(run => (run.metrics.riskCoverage?.attainable.length ?? 0) > 1).slice(0, 4);
  if (curves.length === 0) return undefined;
  const lines = curves.map((run, i) => {
    const { attainable } = run.metrics.riskCoverage!;
    const total = attainable.at(-1)!.answered;
    const points = attainable.map(({ answered, wrong }) => [px(answered / total), py(wrong / answered)] as const);
    const path = points.map(([x, y], j) => `${j === 0 ? 'M' : 'L'}${x.toFixed(1)} ${y.toFixed(1)}`).join('');
    const dots =
      attainable.length <= 30 ? points.map(([cx, cy]) => tag('circle', { cx, cy, r: 3, class: `fill${i}` })) : [];
    return [tag('path', { d: path, class: `curve curve${i}` }, tag('title', {}, run.name)), ...dots];
  });
  const legend = curves.map((run, i) => [
    tag('line', {
      x1: plot.left + 12,
      x2: plot.left + 34,
      y1: plot.top + 14 + 18 * i,
      y2: plot.top + 14 + 18 * i,
      class: `curve curve${i}`,
    }),
    tag('text', { x: plot.left + 40, y: plot.top + 18 + 18 * i, class: 'tick' }, shorten(run.name, 44)),
  ]);
  const summary = curves.map(run => `${run.name}: area ${run.metrics.riskCoverage!.aurc.toFixed(3)}`).join('; ');
  return svg(
    width,
    height,
    `Risk and coverage. ${summary}`,
    frame('answered (surest first)', 'wrong'),
    lines.flat(),
    legend.flat(),
  );
}

/** Questions by the votes of the leading answer, right and wrong ones on top of each other. */
export function votesChart(run: RunReport): Markup | undefined {
  const { outcomes } = run;
  const planned = outcomes.reduce((most, { samples }) => Math.max(most, samples.length), 0);
  if (planned < 2 || outcomes.every(({ votes }) => votes.length === 0)) return undefined;
  const columns = Array.from({ length: planned + 1 }, (_, votes) => countsAt(outcomes, votes));
  const most = Math.max(1, ...columns.map(column => column.right + column.wrong + column.open));
  const step = inner.width / columns.length;
  const size = (count: number) => (count / most) * (inner.height - 16);
  const bars = columns.map((column, votes) => {
    let y = plot.top + inner.height;
    const x = plot.left + votes * step + step * 0.14;
    const parts = (['right', 'wrong', 'open'] as const).map(kind => {
      y -= size(column[kind]);
      return (
        column[kind] > 0 &&
        tag(
          'rect',
          { x, y, width: step * 0.72, height: size(column[kind]), class: kind },
          tag('title', {}, `${votes} votes: ${column[kind]} ${kindWords[kind]}`),
        )
      );
    });
    const total = column.right + column.wrong + column.open;
    return [
      parts,
      tag('text', { x: x + step * 0.36, y: y - 4, class: 'tick', 'text-anchor': 'middle' }, total > 0 && String(total)),
      tag(
        'text',
        { x: x + step * 0.36, y: plot.top + inner.height + 17, class: 'tick', 'text-anchor': 'middle' },
        String(votes),
      ),
    ];
  });
  const base = plot.top + inner.height;
  const axis = tag('line', { x1: plot.left, x2: plot.left + inner.width, y1: base, y2: base, class: 'axis' });
  const title = tag(
    'text',
    { x: plot.left + inner.width / 2, y: height - 8, class: 'axis-title', 'text-anchor': 'middle' },
    `votes for the leading answer, of ${planned}`,
  );
  const summary = columns
    .map((column, votes) => `${votes} votes: ${column.right} right, ${column.wrong} wrong`)
    .join('; ');
  return svg(width, height, `Votes of ${run.name}. ${summary}`, axis, title, bars.flat(2));
}

const kindWords = { right: 'right', wrong: 'wrong', open: 'without a known answer' } as const;

function countsAt(rows: readonly Outcome[], votes: number): { right: number; wrong: number; open: number } {
  const here = rows.filter(row => (row.votes[0]?.count ?? 0) === votes);
  const open = here.filter(row => row.gold === undefined).length;
  const right = here.filter(row => row.correct === true).length;
  return { right, wrong: here.length - open - right, open };
}

function px(share: number): number {
  return plot.left + share * inner.width;
}

function py(share: number): number {
  return plot.top + (1 - share) * inner.height;
}

/** Axes from 0 to 100 %. */
function frame(xTitle: string, yTitle: string): Markup[] {
  const ticks = [0, 0.2, 0.4, 0.6, 0.8, 1].flatMap(share => [
    tag('line', { x1: px(0), x2: px(1), y1: py(share), y2: py(share), class: share === 0 ? 'axis' : 'grid' }),
    tag('text', { x: px(0) - 8, y: py(share) + 4, class: 'tick', 'text-anchor': 'end' }, `${Math.round(share * 100)}`),
    tag('text', { x: px(share), y: py(0) + 17, class: 'tick', 'text-anchor': 'middle' }, `${Math.round(share * 100)}`),
  ]);
  const middle = plot.top + inner.height / 2;
  return [
    ...ticks,
    tag('text', { x: px(0.5), y: height - 8, class: 'axis-title', 'text-anchor': 'middle' }, `${xTitle}, %`),
    tag(
      'text',
      { x: 14, y: middle, class: 'axis-title', 'text-anchor': 'middle', transform: `rotate(-90 14 ${middle})` },
      `${yTitle}, %`,
    ),
  ];
}

/** A drawing that a screen reader reads as one sentence. */
function svg(
  w: number,
  h: number,
  label: string,
  ...children: readonly (Markup | false | readonly (Markup | false)[])[]
): Markup {
  return tag('svg', { viewBox: `0 0 ${w} ${h}`, role: 'img', 'aria-label': label }, ...(children as Markup[]));
}

function shorten(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length - 1)}…` : text;
}
