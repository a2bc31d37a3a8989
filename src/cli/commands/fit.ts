import { existsSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { setImmediate } from 'node:timers/promises';
import { Command } from 'commander';
import { MeditronError, optionError } from '../../check/errors.js';
import type { Kind } from '../../check/kinds.js';
import { inBytes, inTime } from '../../check/words.js';
import { availableCores } from '../../engine/capacity/cores.js';
import { availableMemory } from '../../engine/capacity/memory.js';
import { type Outlook, outlookOf, type ReckonedModel, typical } from '../../engine/capacity/outlook.js';
import {
  measuredColumns,
  multiplied,
  type Rates,
  type Speed,
  speedError,
  speedOf,
} from '../../engine/capacity/speed.js';
import { readGguf } from '../../gguf/reader.js';
import { type TensorTypeName, tensorType } from '../../gguf/types.js';
import { validateModel } from '../../gguf/validate.js';
import { describeFile } from '../../models/inspect.js';
import { publishedNames, publishedShape, reckonedOf, tensorsOf, usualQuants } from '../../models/published.js';
import { loadAddon } from '../../native/load.js';
import { flag } from '../flags.js';
import { interrupts } from '../terminal/interrupt.js';
import { print, printJson } from '../terminal/output.js';
import { oneLine } from '../terminal/plain.js';
import { warn } from '../terminal/warning.js';

interface FitFlags {
  readonly memory?: number;
  readonly json?: boolean;
}

/** Bytes, typed as `8GB` or `16 GiB`; a number alone is gigabytes. */
const memorySize: Kind<number> = {
  check(name, value) {
    if (typeof value === 'number' && value >= 1e8 && value <= 1e15) return value;
    throw optionError(name, 'an amount of memory, as 8GB', value);
  },
  read(typed) {
    const match = /^(\d+(?:\.\d+)?) ?(?:(M|G|T)(i)?B?)?$/i.exec(typed.trim());
    if (!match) return typed;
    const power = { m: 2, g: 3, t: 4 }[(match[2] ?? 'g').toLowerCase()]!;
    return Number(match[1]) * (match[3] ? 1024 : 1000) ** power;
  },
};

export function fit(): Command {
  return new Command('fit')
    .description(
      'Says whether a model runs on this machine, and how well, before it is copied or loaded: by the file’s header, or by the published shape of a model that is not here yet. Ends with code 5 if nothing fits.',
    )
    .argument('<model>', `GGUF file, or a name: ${publishedNames.join(', ')}`)
    .addOption(
      flag('--memory <amount>', 'reckon for a machine with so much memory, as 8GB (default: this machine)', memorySize),
    )
    .option('--json', 'print one JSON object')
    .addHelpText('after', help)
    .action(show);
}

const help = `
Reckoned is a question of ${typical.promptTokens} tokens with five chains of up to ${typical.maxTokens} (${typical.tokensOfChain} for the time), on the CPU. The speed is measured here for a moment,
with nothing written and no model needed; it is that of an otherwise idle machine, whose memory holds the weights.

Examples:
  meditron fit meditron-7b
  meditron fit /media/stick/meditron-7b.Q4_K_M.gguf
  meditron fit meditron3-8b --memory 8GB --json`;

/** A model in one quantization, before anything is known of the machine. */
interface Candidate {
  readonly quantization: string;
  readonly model: ReckonedModel;
  readonly tensors: readonly { readonly name: string; readonly type: TensorTypeName; readonly bytes: number }[];
}

interface FitRow extends Outlook {
  readonly quantization: string;
  readonly bytes: number;
  readonly tokensPerSecond: Speed['tokensPerSecond'] | null;
  readonly promptTokensPerSecond: number | null;
  readonly questionSeconds: number | null;
}

async function show(name: string, flags: FitFlags): Promise<void> {
  using interrupt = interrupts();
  const { signal } = interrupt;
  const { title, path, candidates } = await candidatesOf(name, signal);
  const cores = availableCores();
  const memoryBytes = flags.memory ?? totalmem();
  const availableBytes = flags.memory === undefined ? availableMemory() : availableOf(flags.memory);
  const outlooks = candidates.map(each => ({ ...each, outlook: outlookOf(each.model, availableBytes, cores) }));
  const warnings = ['Reckoned for the CPU alone; a GPU that `meditron devices` lists as used makes it faster'];
  const measure = await ratesHere(cores, warnings);
  const rows: FitRow[] = [];
  for (const { quantization, model, tensors, outlook } of outlooks) {
    signal.throwIfAborted();
    const speed = outlook.fits === 'no' ? null : await measure?.(tensors, outlook);
    await setImmediate(); // Ctrl-C
    rows.push({
      quantization,
      bytes: model.sizeBytes,
      ...outlook,
      tokensPerSecond: speed?.tokensPerSecond ?? null,
      promptTokensPerSecond: speed?.promptTokensPerSecond ?? null,
      questionSeconds: speed?.questionSeconds ?? null,
    });
  }
  if (flags.memory !== undefined) {
    warnings.push(
      `Of ${inBytes(flags.memory)}, ${inBytes(availableBytes)} are taken to be free beside the system and other programs; the speed is that of this machine’s processor`,
    );
  }
  const recommended = rows.find(row => row.fits === 'yes') ?? rows.find(row => row.fits === 'tight');
  const advice = adviceFor(rows, { title, memoryBytes, availableBytes, cores, candidates });
  const report = {
    machine: {
      memoryBytes,
      availableBytes,
      assumed: flags.memory !== undefined,
      cores,
      processor: cpus()[0]?.model.trim() ?? 'unknown',
    },
    model: {
      name: title,
      path,
      contextLength: candidates[0]!.model.contextLength,
      layers: candidates[0]!.model.layers,
    },
    rows,
    recommended: recommended?.quantization ?? null,
    speedError,
    advice,
    warnings,
  };
  if (flags.json) printJson(report, 2);
  else {
    print(described(report));
    for (const warning of warnings) warn(warning);
  }
  if (!recommended) process.exitCode = 5;
}

/** A file's own quantization, or all usual ones of a published model. */
async function candidatesOf(name: string, signal: AbortSignal) {
  const isFile = existsSync(name) || /[/\\]|\.gguf$/i.test(name);
  if (isFile) {
    const file = await readGguf(name, { signal });
    validateModel(file);
    const model = describeFile(file);
    const tensors = file.tensors.map(({ name, type, bytes }) => ({ name, type: type.name, bytes }));
    return {
      title: model.name ?? name,
      path: name,
      candidates: [{ quantization: model.quantization.name, model, tensors }] satisfies Candidate[],
    };
  }
  const shape = publishedShape(name);
  if (!shape) {
    throw new MeditronError(
      'ERR_INPUT',
      `Expected a GGUF file or the name of a model whose shape is published, got ${JSON.stringify(name)}, which is neither. ` +
        `Known: ${publishedNames.join(', ')}; of any other model give the file`,
    );
  }
  const candidates = Object.entries(usualQuants).map(([quant, quantization]): Candidate => {
    const tensors = tensorsOf(shape, quant as keyof typeof usualQuants);
    return { quantization, tensors, model: reckonedOf(shape, tensors) };
  });
  return { title: shape.title, path: null, candidates };
}

/** Of a machine that is not this one: an operating system and open programs take three tenths, at most 4 GB. */
function availableOf(memory: number): number {
  return memory - Math.min(0.3 * memory, 4e9);
}

/** Measures each type of matrix once, when it is first needed; undefined where nothing can be measured. */
async function ratesHere(threads: number, warnings: string[]) {
  try {
    const { addon } = await loadAddon();
    const known = new Map<string, Rates>();
    const bytes = Math.min(128e6, Math.max(8e6, availableMemory() / 8));
    const ratesOf = (type: TensorTypeName, repack: boolean): Rates => {
      const key = `${type} ${repack}`;
      const columns = Int32Array.from(measuredColumns);
      const found =
        known.get(key) ??
        Array.from(
          addon.measureProducts({ type: tensorType(type).id, repack, threads, bytes, seconds: 0.02, columns }),
        );
      known.set(key, found);
      return found;
    };
    return async (tensors: Candidate['tensors'], outlook: Outlook): Promise<Speed | null> => {
      try {
        return speedOf(multiplied(tensors), type => ratesOf(type, outlook.loadMode === 'read'), outlook);
      } catch (error) {
        warnings.push(`The speed was not measured: ${error instanceof Error ? error.message : 'it failed'}`);
        return null;
      }
    };
  } catch (error) {
    if (!(error instanceof MeditronError)) throw error;
    warnings.push(`The speed was not measured: ${error.message}`);
    return undefined;
  }
}

interface Machine {
  readonly title: string;
  readonly memoryBytes: number;
  readonly availableBytes: number;
  readonly cores: number;
  readonly candidates: readonly Candidate[];
}

/** What to do where nothing fits well. */
function adviceFor(
  rows: readonly FitRow[],
  { title, memoryBytes, availableBytes, cores, candidates }: Machine,
): string[] {
  if (rows.some(row => row.fits === 'yes')) return [];
  const advice: string[] = [];
  if (rows.some(row => row.fits === 'tight' && row.lowMemory)) {
    advice.push(
      'Give --low-memory: weights are mapped, which is slower, and the cache is in q8_0, which changes texts slightly',
    );
  }
  const freed = Math.max(availableBytes, availableOf(memoryBytes));
  const better = candidates.find(
    ({ model }, i) => rows[i]!.fits === 'no' && outlookOf(model, freed, cores).fits !== 'no',
  );
  if (better && freed > availableBytes) {
    advice.push(
      `Close other programs: ${inBytes(availableBytes)} of ${inBytes(memoryBytes)} are free, and with ${inBytes(freed)} ${better.quantization} runs`,
    );
  }
  if (rows.every(row => row.fits === 'no')) {
    const least = Math.min(...rows.map(row => row.memoryBytes));
    advice.push(`At least ${inBytes(least)} of free memory are needed, ${inBytes(availableBytes)} are there`);
    if (rows.length === 1)
      advice.push('Take a smaller quantization of the model: `meditron fit NAME` compares the usual ones');
    if (/70B/i.test(title)) advice.push('Take an 8B or 7B model: `meditron fit meditron3-8b`');
  }
  return advice;
}

interface Report {
  readonly machine: { readonly memoryBytes: number; readonly availableBytes: number; readonly cores: number };
  readonly model: { readonly name: string; readonly contextLength: number | null };
  readonly rows: readonly FitRow[];
  readonly recommended: string | null;
  readonly advice: readonly string[];
}

function described({ machine, model, rows, recommended, advice }: Report): string {
  const words = { yes: 'fits', tight: 'little room', no: 'does not fit' } as const;
  const head = ['', 'file', '', 'needs', 'context', 'at once', '1 sample', '5 samples', 'a question'];
  const lines = rows.map(row => [
    row.quantization,
    inBytes(row.bytes),
    words[row.fits] + (row.fits !== 'no' && row.lowMemory ? ', --low-memory' : ''),
    inBytes(row.memoryBytes),
    ...(row.fits === 'no' ? ['', ''] : [String(row.context), `${row.samples} of ${typical.samples}`]),
    ...(row.tokensPerSecond
      ? [row.tokensPerSecond.one, row.tokensPerSecond.five].map(speed => `${about(speed)} tokens/s`)
      : ['', '']),
    row.questionSeconds === null ? '' : `about ${inTime(row.questionSeconds * 1000)}`,
  ]);
  const widths = head.map((title, i) => Math.max(title.length, ...lines.map(line => line[i]!.length)));
  const text = [head, ...lines]
    .map(line =>
      line
        .map((cell, i) => cell.padEnd(widths[i]!))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
  const verdict =
    recommended === null
      ? 'Nothing fits here.'
      : `Recommended: ${recommended}, the finest quantization that fits${rows.some(row => row.fits === 'yes') ? '' : ', with little room'}.`;
  return (
    `${oneLine(model.name)}, trained for ${model.contextLength ?? 'an unknown number of'} tokens; ${inBytes(machine.availableBytes)} of ` +
    `${inBytes(machine.memoryBytes)} available, ${machine.cores} ${machine.cores === 1 ? 'core' : 'cores'}\n\n${text}\n\n` +
    `${rows.some(row => row.tokensPerSecond) ? `Speeds are estimates (about ${speedError * 100} % either way) from a measurement made now: whatever else computes meanwhile makes them too low.\n` : ''}` +
    `${verdict}\n${advice.map(line => `${line}.\n`).join('')}`
  );
}

function about(speed: number): string {
  return speed >= 10 ? String(Math.round(speed)) : speed.toPrecision(2);
}
