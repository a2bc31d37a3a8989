// The same job beside 0, 1, 2, 4 and 8 busy programs: on a fixed number of threads, and with the threads that follow the machine.
// Usage: npm run bench:busy [-- --model FILE] [--busy 0,1,2,4,8] [--tokens N] [--rounds 1] [--out bench/results/busy.json]
// Without --model the model that ships is run, on as many threads as there are cores although one is its default. Takes at most six minutes.
import { type ChildProcess, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { availableCores } from '../src/engine/capacity/cores.js';
import { type Engine, type EngineOptions, loadModel, type Model } from '../src/index.js';
import { machine, median } from './machine.js';

const { values } = parseArgs({
  options: {
    model: { type: 'string' },
    busy: { type: 'string', default: '0,1,2,4,8' },
    tokens: { type: 'string' },
    samples: { type: 'string', default: '4' },
    prompt: { type: 'string', default: '200' },
    rounds: { type: 'string', default: '1' },
    minutes: { type: 'string', default: '5.5' },
    out: { type: 'string' },
  },
});
const mini = fileURLToPath(new URL('../models/meditron-mini.gguf', import.meta.url));
const path = resolve(values.model ?? mini);
const counts = values.busy.split(',').map(Number);
const tokens = Number(values.tokens ?? (path === mini ? 120 : 20));
const samples = Number(values.samples);
const prompt = Int32Array.from({ length: Number(values.prompt) }, (_, i) =>
  i === 0 ? 1 : 300 + ((i * 7919) % 30_000),
);
const cores = availableCores();
const end = performance.now() + Number(values.minutes) * 60_000;

const others: ChildProcess[] = [];
process.on('exit', () => loaded(0));
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(1));

const before = await machine();
const context = { contextSize: 1024, maxSequences: samples } satisfies EngineOptions;
const ways = {
  fixed: { ...context, threads: cores, adaptThreads: false, poll: 50 },
  following: { ...context, threads: cores, adaptThreads: true },
} satisfies Record<string, EngineOptions>;
type Way = keyof typeof ways;

const model = await loadModel({ path, gpuLayers: 0, loadMode: 'read' });
const quiet = await quietTimes(model);
const rows: Awaited<ReturnType<typeof beside>>[] = [];
for (const busy of counts) rows.push(await beside(busy));
await model.close();
const together = end - performance.now() > 45_000 ? await twoAtOnce() : null;

const report = {
  what: 'seconds of one job beside busy programs (endless loops), on a fixed number of threads with the spinning that was the default, and with threads that follow the machine; fair is what a fair scheduler gives to one program with the best number of threads: a core of its own for each thread while there are such cores, else its part of one; null is a job that was given up at the limit',
  machine: before,
  model: { file: basename(path), parameters: model.info.parameters, quantization: model.info.quantization.name },
  job: { promptTokens: prompt.length, samples, tokensPerSample: tokens, cores },
  quietSeconds: Object.fromEntries(quiet),
  rows,
  twoIsolatedEnginesAtOnce: together,
};
const text = `${JSON.stringify(report, null, 2)}\n`;
if (values.out) writeFileSync(values.out, text);
console.log(table());
if (!values.out) console.log(text);

/** Has so many other programs running. */
function loaded(count: number): void {
  while (others.length > count) others.pop()!.kill('SIGKILL');
  while (others.length < count) others.push(spawn(process.execPath, ['-e', 'for (;;);'], { stdio: 'ignore' }));
}

/** By number of threads, for each that a fair share can mean; the faster of two tries. */
async function quietTimes(model: Model): Promise<Map<number, number>> {
  const numbers = new Set([1, cores, ...counts.map(busy => cores - busy).filter(threads => threads >= 1)]);
  const times = new Map<number, number>();
  for (const threads of numbers) {
    await using engine = await model.createEngine({ ...context, threads });
    const tries = [await seconds(engine), await seconds(engine)];
    times.set(threads, Math.min(...tries.map(time => time ?? Infinity)));
    console.error(`quiet, ${threads} threads: ${times.get(threads)!.toFixed(2)} s`);
  }
  return times;
}

/** What a program can have of the machine beside so many others, each of one thread. */
function fairSeconds(busy: number): number {
  const partOfACore = quiet.get(1)! / Math.min(1, cores / (busy + 1));
  return Math.min(partOfACore, ...[...quiet].filter(([threads]) => threads + busy <= cores).map(([, time]) => time));
}

/** Every way in turn, each on an engine of its own that has not seen the load before. */
async function beside(busy: number) {
  loaded(busy);
  const fair = fairSeconds(busy);
  const times: Record<Way, (number | null)[]> = { fixed: [], following: [] };
  let threads = 0;
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const way of ['following', 'fixed'] as const) {
      const left = end - performance.now();
      if (way === 'fixed' && left < 0) break;
      await using engine = await model.createEngine(ways[way]);
      times[way].push(await seconds(engine, Math.max(10_000, Math.min(3000 * fair, left / 2))));
      if (way === 'following') threads = engine.counters.threadSteps / engine.counters.steps;
    }
  }
  loaded(0);
  const middle = (list: readonly (number | null)[]) =>
    list.length === 0 || list.includes(null) ? null : median(list as number[]);
  const row = {
    busy,
    fairSeconds: fair,
    fixedSeconds: middle(times.fixed),
    followingSeconds: middle(times.following),
    followingToFair: (middle(times.following) ?? Number.NaN) / fair,
    meanThreads: threads,
    rounds: times,
  };
  console.error(JSON.stringify(row));
  return row;
}

/** Seconds of the job; null if it took longer than the limit. */
async function seconds(engine: Engine, limitMs = 60_000): Promise<number | null> {
  const start = performance.now();
  const signal = AbortSignal.timeout(Math.round(limitMs));
  const samplers = Array.from({ length: samples }, () => ({ temperature: 0.8 }));
  try {
    for await (const _ of engine.generate({ prompt, samplers, maxTokens: tokens, ignoreEnd: true, seed: 1, signal }));
  } catch (error) {
    if (!signal.aborted) throw error;
    return null;
  }
  return (performance.now() - start) / 1000;
}

/** Two programs that each compute the job, at the same time. */
async function twoAtOnce() {
  const measured: Record<string, number | null> = {};
  for (const way of ['following', 'fixed'] as const) {
    const models = await Promise.all(
      [0, 1].map(() => loadModel({ path, gpuLayers: 0, loadMode: 'read', isolate: true })),
    );
    const engines = await Promise.all(models.map(each => each.createEngine(ways[way])));
    const start = performance.now();
    const limit = Math.max(10_000, Math.min(3000 * fairSeconds(1), (end - performance.now()) / 2));
    const times = await Promise.all(engines.map(engine => seconds(engine, limit)));
    measured[`${way}Seconds`] = times.includes(null) ? null : (performance.now() - start) / 1000;
    for (const each of [...engines, ...models]) await each.close();
  }
  const row = { fairSeconds: fairSeconds(1), ...measured };
  console.error(JSON.stringify(row));
  return row;
}

function table(): string {
  const widest = Math.max(...rows.flatMap(row => [row.fairSeconds, row.fixedSeconds ?? 0, row.followingSeconds ?? 0]));
  const bar = (time: number) => '█'.repeat(Math.max(1, Math.round((40 * time) / widest)));
  const line = (name: string, time: number | null) =>
    `  ${name.padEnd(10)}${time === null ? '  given up' : `${time.toFixed(2).padStart(8)} s ${bar(time)}`}`;
  return rows
    .map(row =>
      [
        `beside ${row.busy} (${row.followingToFair.toFixed(2)} of the fair share's time, ${row.meanThreads.toFixed(2)} threads)`,
        line('fair', row.fairSeconds),
        line('following', row.followingSeconds),
        line('fixed', row.fixedSeconds),
      ].join('\n'),
    )
    .join('\n');
}
