import { inBytes, inTime, inTokensPerSecond } from '../../check/words.js';
import type { Outlook } from '../../engine/capacity/outlook.js';
import { typical } from '../../engine/capacity/outlook.js';
import { type Choice, type Recommendation, runs, wavesOf } from '../../engine/capacity/recommend.js';
import { speedError } from '../../engine/capacity/speed.js';
import type { ModelFacts } from '../../models/registry.js';
import type { Device } from '../../native/addon.js';
import { factRows } from '../models/facts.js';
import { oneLine } from '../terminal/plain.js';
import { table } from '../terminal/table.js';

/** One quantization in the report. */
export interface FitRow extends Outlook, Choice {
  readonly promptTokensPerSecond: number | null;
  readonly questionSeconds: number | null;
  /** Why it is recommended, or is not. */
  readonly note: string;
}

/** What `fit --json` prints, as far as it is shown. */
export interface FitReport {
  readonly machine: {
    readonly memoryBytes: number;
    readonly availableBytes: number;
    readonly cores: number;
    readonly gpus: readonly Device[];
  };
  readonly model: {
    readonly name: string;
    readonly source: string;
    readonly contextLength: number | null;
    readonly facts: ModelFacts | null;
  };
  readonly rows: readonly FitRow[];
  readonly recommended: string | null;
  readonly reason: Recommendation['reason'];
  readonly advice: readonly string[];
}

/** The recommendation, the machine, a table of all quantizations, and what else is to be said. */
export function described(report: FitReport): string {
  const { machine, model, rows, advice } = report;
  const columns = rows.map(row => cellsOf(row, machine.gpus.length > 0));
  const titles = Object.keys(columns[0]!);
  const lines = [titles, ...columns.map(cells => Object.values(cells))];
  const widths = titles.map((_, i) => Math.max(...lines.map(line => line[i]!.length)));
  const text = lines.map(line =>
    line
      .map((cell, i) => cell.padEnd(widths[i]!))
      .join('  ')
      .trimEnd(),
  );
  const notes = [
    ...(rows.some(row => row.tokensPerSecond)
      ? [
          `Speeds are estimates (about ${speedError * 100} % either way) from a measurement made now: whatever else computes meanwhile makes them too low`,
        ]
      : []),
    ...(machine.gpus.length > 0 ? [onGpus(machine.gpus)] : []),
    ...advice,
  ];
  return (
    `${verdictOf(report)}\n\n${oneLine(model.name)}, context of ${model.contextLength?.toLocaleString('en') ?? 'an unknown number of'} tokens (shape: ${oneLine(model.source)})\n` +
    `${inBytes(machine.availableBytes)} of ${inBytes(machine.memoryBytes)} available, ${machine.cores} ${machine.cores === 1 ? 'core' : 'cores'}\n\n` +
    `${text.join('\n')}\n\n${notes.map(line => `${line}.\n`).join('')}` +
    (model.facts ? `\n${table([['is', model.facts.title], ...factRows(model.facts, model)])}` : '')
  );
}

function verdictOf({ rows, recommended, reason }: FitReport): string {
  if (recommended !== null) {
    return rows.length === 1 ? `${recommended} runs here.` : `Recommended: ${recommended}, ${reason}.`;
  }
  return rows.some(runs) ? `Not recommended: ${reason}.` : 'Nothing fits here.';
}

/** A row of the table by its titles. */
function cellsOf(row: FitRow, withGpu: boolean): Record<string, string> {
  const words = { yes: 'fits', tight: 'little room', no: 'does not fit' } as const;
  const fits = row.fits !== 'no';
  return {
    '': row.quantization,
    file: inBytes(row.bytes),
    memory: inBytes(row.memoryBytes),
    fits: words[row.fits] + (fits && row.lowMemory ? ', --low-memory' : ''),
    context: fits ? String(row.context) : '',
    'at once': fits ? wavesOf(row) : '',
    '1 sample': speed(row.tokensPerSecond?.one),
    [`${typical.samples} samples`]: speed(row.tokensPerSecond?.five),
    'a question': row.questionSeconds === null ? '' : `about ${inTime(row.questionSeconds * 1000)}`,
    ...(withGpu && { 'on the GPU': row.gpu ? `${row.gpu.gpuLayers} of ${row.gpu.layers} layers` : '' }),
    note: row.note === 'does not fit' ? '' : row.note,
  };
}

function onGpus(gpus: readonly Device[]): string {
  const names = gpus.map(
    ({ name, description, memoryFree }) => `${name} (${oneLine(description)}, ${inBytes(memoryFree)} free)`,
  );
  return `Layers on the GPU are those that fit ${names.join(' and ')}; the speed on the GPU is not predicted, all other figures are the CPU’s`;
}

function speed(tokensPerSecond: number | undefined): string {
  return tokensPerSecond === undefined ? '' : inTokensPerSecond(tokensPerSecond);
}
