// Meditron beside the kernels alone and beside its peers, whatever of them is here, in turn, in one run.
// Usage: npm run bench [-- --short] [--json] [--model FILE] [--server LLAMA_SERVER] [--gpu] [--rounds N] [--dry]
//   --short   a few minutes: the shape of the 7B with 8 of its 32 layers, fewer rounds
//   --model   another file instead of one with random weights in build/bench
//   --gpu     layers on the GPU, and that file beside the kernels too
//   --rounds  of everything, instead of what the form has
//   --json    prints the report as one JSON object; everything else goes to stderr
//   --dry     writes nothing: otherwise results/bench.json, results/bench.svg and the tables in README.md
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statfsSync, statSync, writeFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { inBytes } from '../src/check/words.js';
import { availableCores } from '../src/engine/capacity/cores.js';
import { availableMemory } from '../src/engine/capacity/memory.js';
import { synthesize } from '../src/synth/synth.js';
import { againstKernels, type KernelComparison, promptOf } from './against-kernels.js';
import { pictureOf, readmeWith, tablesOf } from './draw.js';
import { LlamaBenches } from './llama-benches.js';
import { machine, type Spread } from './machine.js';
import { againstPeers, type PeerComparison } from './peers.js';
import type { BenchReport, ByWidth, StepReport } from './report.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const { values } = parseArgs({
  options: {
    short: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    model: { type: 'string' },
    server: { type: 'string' },
    gpu: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    dry: { type: 'boolean', default: false },
  },
});
const { short, gpu } = values;
const note = (text: string) => process.stderr.write(`${text}\n`);
const roundsOr = (usual: number) => Number(values.rounds ?? usual);
const leftOut: string[] = [];
const started = performance.now();
const before = await machine();

const kernels = await part('the comparison with llama.cpp’s own benchmarks', measureKernels);
const peers = await part('the comparison with the peers', measurePeers);
const step = await part('what a step costs over llama.cpp’s decode', measureStep);

const [small] = kernels ?? [];
const ratioTo = (name: string) => peers?.contenders[name]?.meditronToIt.median ?? null;
const report: BenchReport = {
  what: 'Meditron beside the kernels it computes with (tokens a second in the generation phase, higher is better) and beside its peers (wall time, lower is better); ratios are medians of what each round gave',
  form: short ? 'short' : 'long',
  machine: { ...before, loadAfter: loadavg()[0]! },
  seconds: Math.round((performance.now() - started) / 1000),
  meditronToKernels: small ? medians(small.widths, each => [each.samples, each.toKernels]) : null,
  meditronToKernelsWithLogprobs: small
    ? medians(small.widths, each => [each.samples, each.withLogprobsToKernels])
    : null,
  meditronToNodeLlamaCpp: ratioTo('node-llama-cpp'),
  meditronToNodeLlamaCppByState: ratioTo('node-llama-cpp, prompt by state file'),
  meditronToLlamaServer: ratioTo('llama-server'),
  stepOverheadMicroseconds: step
    ? medians(step.widths, ({ sequences, inProcess }) => [sequences, inProcess.overMicroseconds])
    : null,
  leftOut,
  kernels: kernels ?? [],
  peers: peers ?? null,
  step: step ?? null,
};
if (!values.dry) {
  writeFileSync(join(root, 'bench', 'results', 'bench.json'), `${JSON.stringify(report, null, 2)}\n`);
  writeFileSync(join(root, 'bench', 'results', 'bench.svg'), pictureOf(report));
  const readme = join(root, 'bench', 'README.md');
  writeFileSync(readme, readmeWith(readFileSync(readme, 'utf8'), report));
}
process.stdout.write(values.json ? `${JSON.stringify(report)}\n` : `${tablesOf(report)}\n`);

function medians<T>(widths: readonly T[], figure: (width: T) => readonly [width: number, Spread]): ByWidth {
  return Object.fromEntries(widths.map(figure).map(([width, { median }]) => [width, median]));
}

/** A part that cannot be run is left out, and the report says why. */
async function part<T>(name: string, measure: () => T | Promise<T>): Promise<T | undefined> {
  try {
    return await measure();
  } catch (error) {
    leftOut.push(`${name}: ${error instanceof Error ? error.message : error}`);
    note(`Left out: ${leftOut.at(-1)}`);
    return undefined;
  }
}

async function measureKernels(): Promise<KernelComparison[]> {
  const benches = LlamaBenches.built();
  const mini = { model: join(root, 'models', 'meditron-mini.gguf'), threads: 1, promptTokens: 200, tokens: 128, gpu };
  const made = [
    await againstKernels(benches, { ...mini, widths: [1, 5, 8, 20], rounds: roundsOr(short ? 5 : 15) }, note),
  ];
  if (short && !gpu) return made;
  const large = { ...mini, model: await trueSize(), threads: availableCores() };
  const shape = gpu ? { widths: [1, 5, 20], rounds: roundsOr(5) } : { widths: [1, 5], rounds: roundsOr(3), tokens: 24 };
  return [...made, await againstKernels(benches, { ...large, ...shape }, note)];
}

async function measurePeers(): Promise<PeerComparison> {
  const job = {
    model: await trueSize(),
    prompt: [...promptOf(200)],
    samples: 5,
    tokens: 24,
    threads: availableCores(),
    seed: 1000,
    gpu,
    ...(values.server !== undefined && { server: resolve(values.server) }),
  };
  const { size } = statSync(job.model);
  const needed = 2.3 * size; // the peers map the file and keep a rearranged copy
  if (needed > availableMemory())
    throw new Error(`${inBytes(needed)} of memory are needed, ${inBytes(availableMemory())} are free`);
  return againstPeers(job, roundsOr(3), note);
}

/** The overhead of a step is a measurement of its own, in a process of its own. */
function measureStep(): StepReport {
  const script = join(root, 'bench', 'step.ts');
  const args = ['--import', 'tsx', script, '--rounds', `${roundsOr(short ? 10 : 30)}`];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr.trim());
  return JSON.parse(stdout) as StepReport;
}

/** The file that was given, or one of the 7B's shape with random weights: whole, or as many layers as the form and the machine allow. */
async function trueSize(): Promise<string> {
  if (values.model !== undefined) return resolve(values.model);
  const whole = !short && availableMemory() > 10e9;
  const layers = whole ? 32 : 8;
  const out = join(root, 'build', 'bench', `meditron-7b-${layers}-layers.q4_k_m.gguf`);
  if (existsSync(out)) return out;
  mkdirSync(join(root, 'build', 'bench'), { recursive: true });
  const bytes = whole ? 4.1e9 : 1.3e9;
  const disk = statfsSync(join(root, 'build'));
  if (disk.bavail * disk.bsize < 1.1 * bytes) throw new Error(`${inBytes(bytes)} of disk are needed in build/bench`);
  note(`Writing ${out} …`);
  const unfinished = `${out}.part`;
  rmSync(unfinished, { force: true });
  await synthesize({ shape: 'meditron-7b', quant: 'q4_k_m', layers, out: unfinished });
  renameSync(unfinished, out);
  return out;
}
