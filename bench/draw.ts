// The tables of README.md and the picture beside them, from a report of `npm run bench`.
import { inBytes, inTime } from '../src/check/words.js';
import type { KernelComparison } from './against-kernels.js';
import type { Spread } from './machine.js';
import type { PeerComparison } from './peers.js';
import type { BenchReport } from './report.js';

const begin = '<!-- bench: npm run bench writes what stands between these lines -->';
const end = '<!-- /bench -->';

/** README.md with the tables of a report, or with none of a measurement that has not been made. */
export function readmeWith(readme: string, report: BenchReport | null): string {
  const from = readme.indexOf(begin);
  const to = readme.indexOf(end);
  if (from < 0 || to < from) throw new Error(`Expected ${begin} and ${end} in bench/README.md`);
  const drawn = report
    ? `![Tokens a second and wall times as bars](results/bench.svg)\n\n${tablesOf(report)}`
    : 'Not measured yet.';
  return `${readme.slice(0, from)}${begin}\n\n${drawn}\n\n${readme.slice(to)}`;
}

export function tablesOf(report: BenchReport): string {
  const { machine, form, seconds, kernels, peers, stepOverheadMicroseconds: step, leftOut } = report;
  const day = machine.date.slice(0, 10);
  const lines = [
    `\`npm run bench${form === 'short' ? ' -- --short' : ''}\`, ${day}, commit ${machine.commit}${machine.changed ? ' with changes' : ''}: ` +
      `${machine.processor}, ${machine.cores} cores, ${machine.memoryGB} GB, ${machine.kernel}, Node ${machine.node}, llama.cpp ${machine.llama} ` +
      `(${machine.build}); load average ${machine.loadBefore} before, ${machine.loadAfter.toFixed(2)} after; ${inTime(seconds * 1000)} in all.`,
    ...kernels.map(kernelTable),
    ...(peers ? [peerTable(peers)] : []),
    ...(step
      ? [
          `**What a step takes over llama.cpp’s decode**, stories260K, one thread: ${Object.entries(step)
            .map(
              ([width, micros]) =>
                `${micros.toFixed(0)} µs with ${width === '1' ? 'one sequence' : `${width} sequences`}`,
            )
            .join(', ')}.`,
        ]
      : []),
    ...(leftOut.length > 0 ? [`Left out: ${leftOut.join('; ')}.`] : []),
  ];
  return lines.join('\n\n');
}

function kernelTable(comparison: KernelComparison): string {
  const { model, threads, promptTokens, tokens, rounds, cpuVariant, widths, stream } = comparison;
  return `**${model} beside the kernels alone**, ${threads} ${threads === 1 ? 'thread' : 'threads'}, ${promptTokens} prompt tokens, ${tokens} new ones a sample; tokens a second of all samples
together in the generation phase, median (range) of ${rounds} ${rounds === 1 ? 'round' : 'rounds'}. Kernels: \`llama-batched-bench\` with a shared prompt and a unified cache, which samples
nothing (CPU variant ${variant(cpuVariant.kernels)}; Meditron’s is ${variant(cpuVariant.meditron)}). \`llama-bench\`, one stream from an empty cache: ${ranged(stream.generation)}.

| samples | kernels | Meditron | of the kernels | with log-probabilities | of the kernels |
|---|---|---|---|---|---|
${widths
  .map(
    ({ samples, kernels, meditron, withLogprobs, toKernels, withLogprobsToKernels }) =>
      `| ${samples} | ${ranged(kernels)} | ${ranged(meditron)} | ${ratio(toKernels)} | ${ranged(withLogprobs)} | ${ratio(withLogprobsToKernels)} |`,
  )
  .join('\n')}`;
}

function peerTable({ model, promptTokens, samples, tokensPerSample, threads, rounds, contenders }: PeerComparison) {
  const rows = Object.entries(contenders).map(([name, it]) => {
    const cells = [
      name === 'meditron' ? 'Meditron' : name,
      `${ranged(it.wallSeconds)} s`,
      name === 'meditron' ? '' : ratio(it.meditronToIt),
      `${ranged(it.firstTokenSeconds)} s`,
      `${ranged(it.loadSeconds)} s`,
      inBytes(it.peakRssBytes),
      variant(it.cpuVariant),
    ];
    return `| ${cells.join(' | ')} |`;
  });
  const weights = /^meditron-7b-\d+-layers\./.test(model.file) ? ', random weights' : '';
  return `**${samples} samples of one prompt beside the peers**, ${model.file} (${inBytes(model.bytes)}${weights}), ${promptTokens} prompt tokens, ${tokensPerSample} new
ones a sample, ${threads} ${threads === 1 ? 'thread' : 'threads'}; each in a fresh process, median (range) of ${rounds} ${rounds === 1 ? 'round' : 'rounds'} in turn.

| | wall time | Meditron’s time to it | first token | load | peak resident memory | CPU variant |
|---|---|---|---|---|---|---|
${rows.join('\n')}`;
}

function ranged({ median, min, max }: Spread): string {
  return `${figure(median)} (${figure(min)}–${figure(max)})`;
}

function ratio({ median, min, max }: Spread): string {
  return `**${median.toFixed(2)}** (${min.toFixed(2)}–${max.toFixed(2)})`;
}

function figure(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}

function variant(name: string | null): string {
  return name ?? 'inside the program';
}

interface Bar {
  readonly label: string;
  readonly value: number;
  readonly words: string;
  readonly colour: string;
}

const colours = { kernels: '#8a8f98', meditron: '#1f6f8b', logprobs: '#63b0c9', peer: '#c98a4b' };
const [width, labels, barHeight, gap] = [760, 250, 20, 6];

/** Horizontal bars: beside the kernels as parts of their speed, beside the peers as wall times. */
export function pictureOf({ kernels, peers }: BenchReport): string {
  const groups = [
    ...kernels.map(({ model, widths }) => ({
      title: `${model}: tokens a second, as a part of the kernels’ (longer is faster)`,
      bars: widths.flatMap(({ samples, kernels, toKernels, withLogprobsToKernels }): Bar[] => [
        {
          label: `${samples} at once: kernels`,
          value: 1,
          words: `${figure(kernels.median)} tokens/s`,
          colour: colours.kernels,
        },
        bar('Meditron', toKernels.median, colours.meditron),
        bar('with log-probabilities', withLogprobsToKernels.median, colours.logprobs),
      ]),
    })),
    ...(peers
      ? [
          {
            title: `${peers.samples} samples of one prompt: seconds (shorter is faster)`,
            bars: Object.entries(peers.contenders).map(([name, { wallSeconds }]): Bar => {
              const words = `${figure(wallSeconds.median)} s`;
              const own = name === 'meditron';
              const colour = own ? colours.meditron : colours.peer;
              return { label: own ? 'Meditron' : name, value: wallSeconds.median, words, colour };
            }),
          },
        ]
      : []),
  ];
  let y = 10;
  const drawn: string[] = [];
  for (const { title, bars } of groups) {
    drawn.push(`<text x="10" y="${y + 18}" font-weight="bold">${escaped(title)}</text>`);
    y += 30;
    const longest = Math.max(...bars.map(({ value }) => value));
    for (const { label, value, words, colour } of bars) {
      const length = Math.round(((width - labels - 120) * value) / longest);
      drawn.push(
        `<text x="${labels - 8}" y="${y + 15}" text-anchor="end">${escaped(label)}</text>` +
          `<rect x="${labels}" y="${y}" width="${length}" height="${barHeight}" fill="${colour}"/>` +
          `<text x="${labels + length + 8}" y="${y + 15}">${escaped(words)}</text>`,
      );
      y += barHeight + gap;
    }
    y += 14;
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${y}" width="${width}" height="${y}" font-family="sans-serif" font-size="13">
<rect width="${width}" height="${y}" fill="#fff"/>
${drawn.join('\n')}
</svg>
`;
}

function bar(label: string, value: number, colour: string): Bar {
  return { label, value, words: value.toFixed(2), colour };
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
