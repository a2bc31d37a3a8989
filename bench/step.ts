// What a step costs beside llama.cpp's own decode of the same batches: sampling, text, the way to JavaScript and back, events.
// Usage: npm run bench:step [-- --model FILE] [--steps 128] [--rounds 30] [--ahead MS] [--out FILE]
// For one sequence and for eight, in turn: the decode alone (bench/decode.cpp), an engine, an engine in a process of its own.
import { writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { Engine } from '../src/engine/engine.js';
import { runAhead } from '../src/engine/loop.js';
import type { EngineCounters } from '../src/engine/settings.js';
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
  await using isolated = await there.createEngine({ ...size, beyondTraining: true });
  using kernels = new Kernels({ path, sequences, promptTokens: prompt.length, steps });
  const figures: { kernels: Times; direct: EngineTimes; isolated: EngineTimes }[] = [];
  for (let round = -1; round < rounds; round++) {
    const figure = {
      kernels: await kernels.run(),
      direct: await run(direct, sequences),
      isolated: await run(isolated, sequences),
    };
    if (round >= 0) figures.push(figure); // the first one warms up
  }
  const over = (way: 'direct' | 'isolated') => ({
    stepMicroseconds: spread(figures.map(each => each[way].wall)),
    overMicroseconds: spread(figures.map(each => each[way].wall - each.kernels.wall)),
    ...Object.fromEntries(parts.map(part => [part, spread(figures.map(each => each[way].counters[part]))])),
  });
  const figure = {
    sequences,
    kernelsMicroseconds: spread(figures.map(each => each.kernels.wall)),
    kernelsProcessorMicroseconds: spread(figures.map(each => each.kernels.processor)),
    inProcess: {
      ...over('direct'),
      /** Of all threads: what it costs a machine that has something else to do. */
      processorMicroseconds: spread(figures.map(each => each.direct.processor)),
    },
    isolated: over('isolated'),
  };
  console.error(
    `${sequences} sequences: ${figure.kernelsMicroseconds.median.toFixed(0)} µs a step, ` +
      `${figure.inProcess.overMicroseconds.median.toFixed(0)} µs over it, ${figure.isolated.overMicroseconds.median.toFixed(0)} µs isolated`,
  );
  return figure;
}

interface EngineTimes extends Times {
  /** Microseconds a step, by part. */
  readonly counters: Record<(typeof parts)[number], number>;
}

/** From the first token, which comes with the prompt, to the last. */
async function run(engine: Engine, sequences: number): Promise<EngineTimes> {
  const samplers = Array.from({ length: sequences }, () => ({ temperature: 0.8 }));
  let before: EngineCounters = { ...engine.counters };
  let from = 0;
  let until = 0;
  let cpu = process.cpuUsage();
  for await (const event of engine.generate({ prompt, samplers, seed: 1, maxTokens: steps + 1, ignoreEnd: true })) {
    until = performance.now();
    if (event.type !== 'prompt' || event.done < event.total) continue;
    before = { ...engine.counters };
    cpu = process.cpuUsage();
    from = until;
  }
  const used = process.cpuUsage(cpu);
  const counted = engine.counters.steps - before.steps;
  return {
    wall: ((until - from) * 1000) / steps,
    processor: (used.user + used.system) / steps,
    counters: Object.fromEntries(parts.map(part => [part, (engine.counters[part] - before[part]) / counted])) as never,
  };
}
