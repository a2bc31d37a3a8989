import { cpus, totalmem } from 'node:os';
import { setImmediate } from 'node:timers/promises';
import { Command } from 'commander';
import { optionError } from '../../check/errors.js';
import type { Kind } from '../../check/kinds.js';
import { inBytes } from '../../check/words.js';
import { availableCores } from '../../engine/capacity/cores.js';
import { gpusOf } from '../../engine/capacity/devices.js';
import { availableMemory } from '../../engine/capacity/memory.js';
import { offloadOf } from '../../engine/capacity/offload.js';
import { outlookOf, typical } from '../../engine/capacity/outlook.js';
import { readingSpeed, recommend, rule, runs } from '../../engine/capacity/recommend.js';
import { speedError } from '../../engine/capacity/speed.js';
import { publishedNames } from '../../models/published.js';
import { type Candidate, candidatesOf } from '../fit/candidates.js';
import { Measurement } from '../fit/measurement.js';
import { described, type FitRow } from '../fit/words.js';
import { flag } from '../flags.js';
import { interrupts } from '../terminal/interrupt.js';
import { print, printJson } from '../terminal/output.js';
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
    .argument('<model>', 'GGUF file, the name of an added one, or a name (below)')
    .addOption(
      flag('--memory <amount>', 'reckon for a machine with so much memory, as 8GB (default: this machine)', memorySize),
    )
    .option('--json', 'print one JSON object')
    .addHelpText('after', help)
    .action(show);
}

const help = `
Reckoned is a question of ${typical.promptTokens} tokens with ${typical.samples} chains of up to ${typical.maxTokens} (${typical.tokensOfChain} for the time), on the CPU. The speed is measured here for a moment,
with nothing written and no model needed; it is that of an otherwise idle machine, whose memory holds the weights.

Recommended is:
${rule.replaceAll('; ', ';\n')}.

Names: ${publishedNames.join(', ')}.

Examples:
  meditron fit meditron-7b
  meditron fit /media/stick/meditron-7b.Q4_K_M.gguf
  meditron fit meditron3-8b --memory 8GB --json`;

async function show(name: string, flags: FitFlags): Promise<void> {
  using interrupt = interrupts();
  const { signal } = interrupt;
  const { title, path, source, facts, candidates } = await candidatesOf(name, signal);
  const cores = availableCores();
  const assumed = flags.memory !== undefined;
  const memoryBytes = flags.memory ?? totalmem();
  const availableBytes = flags.memory === undefined ? availableMemory() : availableOf(flags.memory);
  const warnings: string[] = [];
  const measurement = await Measurement.here({ gpus: !assumed, threads: cores, signal });
  const reckoned: Omit<FitRow, 'note'>[] = [];
  for (const { quantization, model, tensors } of candidates) {
    signal.throwIfAborted();
    const outlook = outlookOf(model, availableBytes, cores);
    const speed = outlook.fits === 'no' ? null : measurement.speedOf(tensors, outlook);
    await setImmediate(); // Ctrl-C
    reckoned.push({
      quantization,
      bytes: model.sizeBytes,
      ...outlook,
      tokensPerSecond: speed?.tokensPerSecond ?? null,
      promptTokensPerSecond: speed?.promptTokensPerSecond ?? null,
      questionSeconds: speed?.questionSeconds ?? null,
      gpu: offloadOf(model, tensors, measurement.devices, cores),
    });
  }
  if (assumed) {
    warnings.push(
      `Of ${inBytes(memoryBytes)}, ${inBytes(availableBytes)} are taken to be free beside the system and other programs, and no GPU; the speed is that of this machine’s processor`,
    );
  }
  const busy = measurement.warn(warnings);
  const { quantization, reason, notes } = recommend(
    busy ? reckoned.map(row => ({ ...row, tokensPerSecond: null })) : reckoned,
  );
  const rows = reckoned.map((row, i): FitRow => ({ ...row, note: notes[i]! }));
  const report = {
    machine: {
      memoryBytes,
      availableBytes,
      assumed,
      cores,
      processor: cpus()[0]?.model.trim() ?? 'unknown',
      gpus: gpusOf(measurement.devices),
    },
    model: {
      name: title,
      path,
      source,
      contextLength: candidates[0]!.model.contextLength,
      layers: candidates[0]!.model.layers,
      facts,
    },
    rows,
    recommended: quantization,
    reason,
    rule,
    readingSpeed,
    speedError,
    advice: adviceFor(rows, { title, memoryBytes, availableBytes, cores, candidates }),
    warnings,
  };
  if (flags.json) printJson(report, 2);
  else {
    print(described(report));
    for (const warning of warnings) warn(warning);
  }
  if (!rows.some(runs)) process.exitCode = 5;
}

/** Of a machine that is not this one: an operating system and open programs take three tenths, at most 4 GB. */
function availableOf(memory: number): number {
  return memory - Math.min(0.3 * memory, 4e9);
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
  if (rows.some(row => row.fits === 'yes' || row.gpu?.whole)) return [];
  const advice: string[] = [];
  if (rows.some(row => row.fits === 'tight' && row.lowMemory)) {
    advice.push(
      'Give --low-memory: steps are small, which makes prompts slower, and the cache is in q8_0, which changes texts slightly',
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
