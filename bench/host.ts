// What a process of its own costs: start-up of the command, time a step, death and the next answer, memory of the program itself.
// Usage: npm run bench:host [-- --runs 30] [--old CHECKOUT] [--tokens 400] [--rounds 10] [--kills 10] [--out FILE]
// --old is a built checkout of a commit before there was such a process; without it the command with --in-process stands in.
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { EngineDied } from '../src/check/died.js';
import type { Engine } from '../src/engine/engine.js';
import { loadModel } from '../src/host/load.js';
import { HostModel } from '../src/host/model.js';
import { machine, memory, spread } from './machine.js';

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '30' },
    old: { type: 'string' },
    tokens: { type: 'string', default: '400' },
    rounds: { type: 'string', default: '10' },
    kills: { type: 'string', default: '10' },
    out: { type: 'string' },
  },
});
const root = fileURLToPath(new URL('..', import.meta.url));
const stories = join(root, 'models', 'stories260K.gguf');
const mini = join(root, 'models', 'meditron-mini.gguf');

const measured = {
  // First, while this process is small and has not loaded what it measures.
  memory: await parentMemory(),
  startUp: startUp(Number(values.runs)),
  steps: await steps(Number(values.rounds), Number(values.tokens)),
  death: await deaths(Number(values.kills)),
};
const report = {
  what: 'the engine in a process of its own, beside the same in one process; differences are taken pair by pair, in turn',
  machine: await machine(),
  ...measured,
};
const text = `${JSON.stringify(report, null, 2)}\n`;
if (values.out) writeFileSync(values.out, text);
console.log(text);

/** Milliseconds from the start of a command to its end. */
function startUp(runs: number) {
  const commands = {
    tokenize: ['tokenize', 'Once upon a time'],
    run: ['run', '-m', stories, '-p', 'x', '--max-tokens', '1'],
    demo: ['demo'],
  };
  const before = values.old === undefined ? root : resolve(values.old);
  const flags = values.old === undefined ? ['--in-process'] : [];
  const time = (cwd: string, args: readonly string[]) => {
    const from = performance.now();
    const { status, stderr } = spawnSync(process.execPath, ['bin/meditron.js', ...args], { cwd, encoding: 'utf8' });
    if (status !== 0) throw new Error(`${args.join(' ')} failed: ${stderr}`);
    return performance.now() - from;
  };
  const measure = (name: string, args: readonly string[]) => {
    time(before, [...args, ...flags]);
    time(root, args);
    const pairs = Array.from({ length: runs }, () => [time(before, [...args, ...flags]), time(root, args)] as const);
    const figures = {
      beforeMs: spread(pairs.map(([one]) => one)),
      isolatedMs: spread(pairs.map(([, other]) => other)),
      moreMs: spread(pairs.map(([one, other]) => other - one)),
      ratio: spread(pairs.map(([one, other]) => other / one)),
    };
    console.error(`${name}: ${figures.moreMs.median.toFixed(0)} ms more`);
    return figures;
  };
  const figures = Object.fromEntries(Object.entries(commands).map(([name, args]) => [name, measure(name, args)]));
  return { runs, before: values.old === undefined ? '--in-process' : commitOf(before), ...figures };
}

function commitOf(folder: string): string {
  return spawnSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: folder, encoding: 'utf8' }).stdout.trim();
}

/** Milliseconds a step: one sequence, five and eight, with and without log-probabilities. */
async function steps(rounds: number, tokens: number) {
  const figures: object[] = [];
  for (const path of [stories, mini]) {
    await using here = await loadModel({ path, gpuLayers: 0 });
    await using there = await loadModel({ path, gpuLayers: 0, isolate: true });
    for (const samples of [1, 5, 8]) {
      const size = { contextSize: samples * tokens + 256, maxSequences: samples, threads: 1 };
      const beyondTraining = true; // the small models know 512 tokens
      await using direct = await here.createEngine({ ...size, beyondTraining });
      await using isolated = await there.createEngine({ ...size, beyondTraining });
      for (const logprobs of [false, true]) {
        const job = { samples, tokens, logprobs };
        await stepMs(direct, job);
        await stepMs(isolated, job);
        const pairs: [number, number][] = [];
        for (let i = 0; i < rounds; i++) pairs.push([await stepMs(direct, job), await stepMs(isolated, job)]);
        const figure = {
          model: basename(path),
          samples,
          logprobs,
          inProcessMs: spread(pairs.map(([one]) => one)),
          isolatedMs: spread(pairs.map(([, other]) => other)),
          moreMs: spread(pairs.map(([one, other]) => other - one)),
        };
        console.error(`${figure.model} × ${samples}: ${(figure.moreMs.median * 1000).toFixed(0)} µs more a step`);
        figures.push(figure);
      }
    }
  }
  return figures;
}

interface StepJob {
  readonly samples: number;
  readonly tokens: number;
  readonly logprobs: boolean;
}

async function stepMs(engine: Engine, { samples, tokens, logprobs }: StepJob): Promise<number> {
  const samplers = Array.from({ length: samples }, () => ({ temperature: 0.8 }));
  let from = performance.now();
  let until = from;
  const work = { prompt: 'Once', samplers, seed: 1, maxTokens: tokens, logprobs, ignoreEnd: true };
  for await (const event of engine.generate(work)) {
    if (event.type === 'prompt' && event.done === event.total) from = performance.now();
    until = performance.now();
  }
  return (until - from) / tokens;
}

/** Milliseconds from a kill in the middle of a text to the typed error, and from there to the first text of the next job. */
async function deaths(kills: number) {
  const toError: number[] = [];
  const toAnswer: number[] = [];
  for (let i = 0; i < kills; i++) {
    await using model = await loadModel({ path: mini, gpuLayers: 0, isolate: true });
    await using engine = await model.createEngine({ contextSize: 512, maxSequences: 1, threads: 1 });
    if (!(model instanceof HostModel)) throw new Error('Expected a model in another process');
    let killed = 0;
    let told = 0;
    try {
      for await (const event of engine.generate({ prompt: 'Once', maxTokens: 400 })) {
        if (event.type !== 'text' || killed > 0) continue;
        killed = performance.now();
        process.kill(model.pid!, 'SIGKILL');
      }
    } catch (error) {
      if (!(error instanceof EngineDied)) throw error;
      told = performance.now();
    }
    for await (const event of engine.generate({ prompt: 'Once', maxTokens: 4 })) if (event.type === 'text') break;
    toError.push(told - killed);
    toAnswer.push(performance.now() - told);
  }
  return { kills, toErrorMs: spread(toError), toNextAnswerMs: spread(toAnswer) };
}

/** Bytes resident in this process before it has a model, and with one in another process that has answered. */
async function parentMemory() {
  const before = memory();
  await using model = await loadModel({ path: mini, gpuLayers: 0, isolate: true });
  await using engine = await model.createEngine({ contextSize: 512, maxSequences: 1, threads: 1 });
  for await (const _ of engine.generate({ prompt: 'Once', maxTokens: 100 }));
  return { model: basename(mini), beforeLoading: before, afterAnAnswer: memory() };
}
