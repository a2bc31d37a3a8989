// What a step costs beside llama.cpp's own decode of the same batches: sampling, text, the way to JavaScript and back, events.
// Usage: npm run bench:step [-- --model FILE] [--steps 128] [--rounds 30] [--ahead MS] [--out FILE]
// For one sequence and for eight, in turn: the decode alone (bench/decode.cpp), an engine, an engine in a process of its own.
import { writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { Engine } from '../src/engine/engine.js';
import { runAhead } from '../src/engine/loop.js';
import { loadModel } from '../src/host/load.js';
import { Kernels, type Times } from './kernels.js';
import { machine, spread } from './machine.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const { values } = parseArgs({
  options: {
    model: { type: 'string', default: join(root, 'models', 'stories260K.gguf') },
    steps: { type: 'string', default: '128' },
    rounds: { type: 'string', default: '30' },
    ahead: { type: 'string' },
    out: { type: 'string' },
  },
});
const path = values.model;
const steps = Number(values.steps);
const rounds = Number(values.rounds);
if (values.ahead !== undefined) runAhead.milliseconds = Number(values.ahead);

await using here = await loadModel({ path, gpuLayers: 0 });
await using there = await loadModel({ path, gpuLayers: 0, isolate: true });
const parts = ['decodeMicroseconds', 'samplingMicroseconds', 'nativeMicroseconds', 'betweenMicroseconds'] as const;
const prompt = await here.tokenize('Once');
const widths: object[] = [];
for (const sequences of [1, 8]) widths.push(await measure(sequences));

const report = {
  what: 'microseconds a step: llama.cpp alone, an engine, an isolated engine, in turn; differences are taken round by round',
  machine: await machine(),
  model: basename(path),
  steps,
  rounds,
  aheadMilliseconds: runAhead.milliseconds,
  widths,
};
const text = `${JSON.stringify(report, null, 2)}\n`;
if (values.out) writeFileSync(values.out, text);
console.log(text);

async function measure(sequences: number) {
  const size = { contextSize: prompt.length + sequences * (steps + 1), maxSequences: sequences, threads: 1 };
  await using direct = await here.createEngine({ ...size, beyondTraining: true });
  await using other = await there.createEngine({ ...size, beyondTraining: true });
  using kernels = new Kernels({ path, sequences, promptTokens: prompt.length, steps });
  const figures: { kernels: Times; inProcess: Pair; isolated: Pair }[] = [];
  for (let round = -1; round < rounds; round++) {
    const figure = {
      kernels: await kernels.run(),
      inProcess: await pair(direct, sequences),
      isolated: await pair(other, sequences),
    };
    if (round >= 0) figures.push(figure); // the first one warms up
  }
  const least = (times: readonly number[]) => Math.min(...times);
  const leastKernels = least(figures.map(({ kernels }) => kernels.wall));
  const over = (way: 'inProcess' | 'isolated') => {
    const each = (part: (times: EngineTimes) => number) =>
      figures.map(({ [way]: { long, short } }) => (part(long) - part(short)) / steps);
    const wall = each(times => times.wall);
    const leastWall = (['long', 'short'] as const).map(job => least(figures.map(figure => figure[way][job].wall)));
    return {
      stepMicroseconds: spread(wall),
      overMicroseconds: spread(wall.map((one, i) => one - figures[i]!.kernels.wall)),
      /** The fastest rounds of both, which a busy machine disturbs least. */
      leastOverMicroseconds: (leastWall[0]! - leastWall[1]!) / steps - leastKernels,
      /** Of this program, all its threads; an isolated engine computes in another. */
      processorMicroseconds: spread(each(times => times.processor)),
      ...Object.fromEntries(parts.map(part => [part, spread(each(times => times.counters[part]))])),
    };
  };
  const figure = {
    sequences,
    kernelsMicroseconds: spread(figures.map(({ kernels }) => kernels.wall)),
    kernelsProcessorMicroseconds: spread(figures.map(({ kernels }) => kernels.processor)),
    inProcess: over('inProcess'),
    isolated: over('isolated'),
  };
  console.error(
    `${sequences} sequences: ${figure.kernelsMicroseconds.median.toFixed(0)} µs a step, over it in one process ` +
      `${figure.inProcess.overMicroseconds.median.toFixed(0)} (least ${figure.inProcess.leastOverMicroseconds.toFixed(0)}), ` +
      `isolated ${figure.isolated.overMicroseconds.median.toFixed(0)} (least ${figure.isolated.leastOverMicroseconds.toFixed(0)})`,
  );
  return figure;
}

/** Microseconds of a job of all steps and of one that ends with its first token: their difference is what steps take. */
interface Pair {
  readonly long: EngineTimes;
  readonly short: EngineTimes;
}

interface EngineTimes extends Times {
  readonly counters: Record<(typeof parts)[number], number>;
}

async function pair(engine: Engine, sequences: number): Promise<Pair> {
  return { long: await job(engine, sequences, steps + 1), short: await job(engine, sequences, 1) };
}

async function job(engine: Engine, sequences: number, maxTokens: number): Promise<EngineTimes> {
  const samplers = Array.from({ length: sequences }, () => ({ temperature: 0.8 }));
  const before = { ...engine.counters };
  const cpu = process.cpuUsage();
  const from = performance.now();
  for await (const _ of engine.generate({ prompt, samplers, seed: 1, maxTokens, ignoreEnd: true }));
  const wall = (performance.now() - from) * 1000;
  const { user, system } = process.cpuUsage(cpu);
  return {
    wall,
    processor: user + system,
    counters: Object.fromEntries(parts.map(part => [part, engine.counters[part] - before[part]])) as never,
  };
}
