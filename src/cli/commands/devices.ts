import { availableParallelism, cpus } from 'node:os';
import { Command } from 'commander';
import { packageVersion } from '../../check/project.js';
import { inBytes } from '../../check/words.js';
import { availableCores } from '../../engine/capacity/cores.js';
import { gpusOf } from '../../engine/capacity/devices.js';
import { availableMemory } from '../../engine/capacity/memory.js';
import type { AddonBuild, Device } from '../../native/addon.js';
import { missingBackend } from '../../native/backends.js';
import type { Backend } from '../../native/choice.js';
import { examineGpus, type LoadedGpus } from '../../native/load.js';
import { verdictInWords } from '../../native/report.js';
import { type Abilities, measureAbilities } from '../measure/abilities.js';
import { described as abilitiesInWords } from '../measure/words.js';
import { interrupts } from '../terminal/interrupt.js';
import { print, printJson } from '../terminal/output.js';
import { oneLine } from '../terminal/plain.js';
import { type Row, table } from '../terminal/table.js';
import { warn } from '../terminal/warning.js';

interface Flags {
  readonly json?: boolean;
  readonly probe?: boolean;
  readonly measure?: boolean;
}

export function devices(): Command {
  return new Command('devices')
    .description(
      'Shows what models will be computed on: what was found, what will be used, and why not the rest. A GPU backend is tried in a process of its own before anything is computed on it; what was found is remembered.',
    )
    .option('--probe', 'try every GPU backend again, whatever is remembered')
    .option(
      '--measure',
      'measure for some seconds what this machine will do with a 7B and a 70B, and what holds it back: memory, cores, another program',
    )
    .option('--json', 'print one JSON object')
    .addHelpText('after', '\nExamples:\n  meditron devices --probe\n  meditron devices --measure')
    .action(show);
}

/** What `--json` prints. */
interface Report {
  readonly version: string;
  readonly addon: AddonBuild & { readonly path: string };
  readonly cpu: {
    readonly name: string;
    readonly variant: string;
    readonly cores: number;
    readonly threads: number;
    readonly visible: number;
  };
  readonly memory: { readonly availableBytes: number };
  /** With what a probe found of each, if it was tried. */
  readonly backends: readonly Backend[];
  /** The CPU, the devices of the backend in use, and those that cannot compute. `used`: models are put on it. */
  readonly devices: readonly (Device & { readonly used: boolean })[];
  /** What would make models run on a GPU that seems to be there; null if one is used or there is none. */
  readonly advice: string | null;
  /** With `--measure`. */
  readonly measured?: Abilities;
  readonly warnings: readonly string[];
}

async function show(flags: Flags): Promise<void> {
  using interrupt = interrupts();
  const { signal } = interrupt;
  const found = reportOf(await examineGpus({ again: flags.probe === true, signal }));
  if (!flags.json) print(described(found));
  const measured = flags.measure ? await measureAbilities(signal) : undefined;
  const warnings = [...found.warnings, ...(measured?.warnings ?? [])];
  if (flags.json) return printJson({ ...found, ...(measured && { measured }), warnings }, 2);
  if (measured) print(`\n${abilitiesInWords(measured)}`);
  for (const warning of warnings) warn(warning);
}

function reportOf({ addon, path, cpuVariant, backends, warnings, list }: LoadedGpus): Report {
  const cores = availableCores();
  const found = list();
  const used = new Set(gpusOf(found).map(device => device.name));
  return {
    version: packageVersion(),
    addon: { path, ...addon.build },
    cpu: {
      name: cpus()[0]?.model.trim() ?? 'unknown',
      variant: cpuVariant,
      cores,
      threads: cores,
      visible: availableParallelism(),
    },
    memory: { availableBytes: availableMemory() },
    backends,
    devices: found.map(device => ({ ...device, used: device.type === 'cpu' || used.has(device.name) })),
    advice: missingBackend(backends, used.size > 0) ?? null,
    warnings,
  };
}

function described(report: Report): string {
  const { addon, cpu, memory, backends } = report;
  const gpus = report.devices.filter(isGpu);
  const others = report.devices.filter(device => device.type !== 'cpu' && !isGpu(device));
  const hidden = cpu.visible > cpu.cores ? ` of ${cpu.visible} hardware threads` : '';
  const rows: Row[] = [
    [
      'meditron',
      `${report.version}, ${addon.kind === 'prebuilt' ? 'prebuilt llama.cpp libraries' : 'llama.cpp built from source'}`,
    ],
    ['llama.cpp', `headers ${addon.headers}, libraries ${addon.libraries}, ggml ${addon.ggml}`],
    ['addon', addon.path],
    ['processor', oneLine(cpu.name)],
    ['CPU kernels', cpu.variant],
    [
      'cores',
      `${cpu.cores} usable${hidden}; ${cpu.threads} ${cpu.threads === 1 ? 'thread is' : 'threads are'} used unless --threads says fewer`,
    ],
    ['memory', `${inBytes(memory.availableBytes)} available`],
    ...backends.map((backend): Row => [backend.name, stateOf(backend)]),
    ...backends.flatMap(probedRows),
    ...gpus.filter(gpu => gpu.used).map((gpu): Row => [gpu.name, memoryOf(gpu)]),
    ...others.map((device): Row => [device.name, `${oneLine(device.description)}; not used for whole models`]),
  ];
  const used = gpus.filter(gpu => gpu.used);
  const verdict =
    used.length > 0
      ? `Models run on ${used.map(gpu => gpu.name).join(', ')} with as many layers as fit, the rest on the CPU. --gpu-layers 0 uses the CPU alone.`
      : 'Models run on the CPU.';
  return `${[table(rows), verdict, ...(report.advice === null ? [] : [report.advice])].join('\n')}\n`;
}

function stateOf({ package: carrier, used, report, reason }: Backend): string {
  const whose = carrier === null ? 'inside the addon' : carrier;
  if (!used) return `${whose}: not used: ${oneLine(reason ?? '')}`;
  return `${whose}: used${report?.devices.some(device => device.verdict.outcome !== 'works') ? ', in part' : ''}`;
}

/** Every GPU that a backend lists, with what came of computing on it. */
function probedRows({ name, report }: Backend): Row[] {
  return (report?.devices ?? []).map(
    (device): Row => [
      device.name,
      `${oneLine(device.description)} by ${name}: ${oneLine(verdictInWords(device.verdict, report!.at))}`,
    ],
  );
}

function memoryOf({ memoryFree, memoryTotal }: Device): string {
  return `${inBytes(memoryFree)} free of ${inBytes(memoryTotal)}`;
}

function isGpu({ type }: Device): boolean {
  return type === 'gpu' || type === 'integrated-gpu';
}
