import { availableParallelism, cpus } from 'node:os';
import { Command } from 'commander';
import { packageVersion } from '../../check/project.js';
import { inBytes } from '../../check/words.js';
import { availableCores } from '../../engine/capacity/cores.js';
import { availableMemory } from '../../engine/capacity/memory.js';
import type { Device } from '../../native/addon.js';
import type { Backend } from '../../native/backends.js';
import { type LoadedAddon, loadAddon } from '../../native/load.js';
import { print, printJson } from '../terminal/output.js';
import { oneLine } from '../terminal/plain.js';
import { type Row, table } from '../terminal/table.js';

export function devices(): Command {
  return new Command('devices')
    .description('Shows what models will be computed on: what was found, what will be used, and why not the rest.')
    .option('--json', 'print one JSON object')
    .addHelpText('after', '\nExample:\n  meditron devices')
    .action(show);
}

/** What `--json` prints. */
interface Report {
  readonly version: string;
  readonly addon: {
    readonly path: string;
    readonly kind: 'prebuilt' | 'source';
    readonly headers: string;
    readonly libraries: string;
    readonly ggml: string;
  };
  readonly cpu: {
    readonly name: string;
    readonly variant: string;
    readonly cores: number;
    readonly threads: number;
    readonly visible: number;
  };
  readonly memory: { readonly availableBytes: number };
  readonly backends: readonly Backend[];
  readonly devices: readonly (Device & { readonly used: boolean })[];
}

async function show(flags: { readonly json?: boolean }): Promise<void> {
  const report = reportOf(await loadAddon());
  if (flags.json) printJson(report, 2);
  else print(described(report));
}

function reportOf({ addon, path, cpuVariant, backends }: LoadedAddon): Report {
  const cores = availableCores();
  const found = addon.devices();
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
    devices: found.map(device => ({ ...device, used: device.type === 'cpu' || isGpu(device) })),
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
    ...backends.map(
      (backend): Row => [
        backend.name,
        backend.loaded ? usedBy(backend, gpus) : `not used: ${backend.reason ?? 'it could not be loaded'}`,
      ],
    ),
    ...gpus.map(
      (gpu): Row => [
        gpu.name,
        `${oneLine(gpu.description)}, ${inBytes(gpu.memoryFree)} free of ${inBytes(gpu.memoryTotal)}`,
      ],
    ),
    ...others.map((device): Row => [device.name, `${oneLine(device.description)}; not used for whole models`]),
  ];
  const verdict =
    gpus.length > 0
      ? `Models run on ${gpus.map(gpu => gpu.name).join(', ')} with as many layers as fit, the rest on the CPU. --gpu-layers 0 uses the CPU alone.`
      : 'Models run on the CPU.';
  return `${table(rows)}\n${verdict}\n`;
}

function usedBy({ name }: Backend, gpus: readonly Device[]): string {
  const own = gpus.filter(gpu => gpu.backend.startsWith(name)).map(gpu => gpu.name);
  return own.length > 0 ? `used: ${own.join(', ')}` : 'loaded, but it found no GPU';
}

function isGpu({ type }: Device): boolean {
  return type === 'gpu' || type === 'integrated-gpu';
}
