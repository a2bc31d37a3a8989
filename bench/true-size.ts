// A model of true size: load, resident memory, five samples, abort in the middle of a prompt.
// Usage: npm run bench:true-size -- --model FILE [--samples 5] [--prompt 200] [--tokens 24] [--context 2048] [--aborts 5] [--out FILE]
import { statSync, writeFileSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { inBytes } from '../src/check/words.js';
import { loadModel } from '../src/index.js';
import { machine, median, memory, spread } from './machine.js';

const { values } = parseArgs({
  options: {
    model: { type: 'string' },
    samples: { type: 'string', default: '1,5' },
    prompt: { type: 'string', default: '200' },
    tokens: { type: 'string', default: '24' },
    context: { type: 'string', default: '2048' },
    aborts: { type: 'string', default: '5' },
    out: { type: 'string' },
  },
});
if (!values.model) throw new Error('Give the model: --model FILE');
const path = resolve(values.model);
const counts = values.samples.split(',').map(Number);
const tokens = Number(values.tokens);
const prompt = Int32Array.from({ length: Number(values.prompt) }, (_, i) =>
  i === 0 ? 1 : 300 + ((i * 7919) % 30_000),
);

const before = await machine();
const started = performance.now();
const model = await loadModel({ path, gpuLayers: 0 });
const loadSeconds = (performance.now() - started) / 1000;
const engine = await model.createEngine({ contextSize: Number(values.context), maxSequences: Math.max(...counts) });
const afterLoad = memory();
console.error(
  `loaded in ${loadSeconds.toFixed(1)} s by ${model.info.loadMode}; resident ${inBytes(afterLoad.rssAnonymous + afterLoad.rssFile)}`,
);

const runs = [];
for (const samples of counts) {
  const start = performance.now();
  let first = 0;
  let promptDone = 0;
  const texts = new Set<string>();
  const stepsBefore = engine.counters.steps;
  const samplers = Array.from({ length: samples }, () => ({ temperature: 0.8 }));
  for await (const event of engine.generate({ prompt, samplers, maxTokens: tokens, ignoreEnd: true })) {
    if (event.type === 'prompt') promptDone = performance.now() - start;
    if (event.type === 'text') first ||= performance.now() - start;
    if (event.type === 'end') texts.add(event.tokens.join());
  }
  const wall = performance.now() - start;
  const run = {
    samples,
    wallSeconds: wall / 1000,
    promptSeconds: promptDone / 1000,
    firstTokenSeconds: first / 1000,
    secondsPerStep: tokens > 1 ? (wall - promptDone) / 1000 / (tokens - 1) : null,
    steps: engine.counters.steps - stepsBefore,
    distinctSamples: texts.size,
  };
  runs.push(run);
  console.error(
    `${samples} samples: ${run.wallSeconds.toFixed(2)} s, of it the prompt ${run.promptSeconds.toFixed(2)} s; ${run.secondsPerStep?.toFixed(3)} s a step; ${texts.size} distinct`,
  );
}

// The job that is aborted is told at once; what counts is when the engine computes for somebody else again. A job of one
// token shows that: how long it takes after an abort, less how long it takes alone.
const oneToken = async () => {
  const start = performance.now();
  await engine.score({ prompt: Int32Array.of(1), continuations: [Int32Array.of(300)] });
  return performance.now() - start;
};
const aborts = Number(values.aborts);
const aloneMs: number[] = [];
const afterAbortMs: number[] = [];
for (let i = 0; i < aborts; i++) {
  aloneMs.push(await oneToken());
  const controller = new AbortController();
  setTimeout(() => controller.abort(), 400 + i * 137);
  await (async () => {
    for await (const _ of engine.generate({ prompt, maxTokens: tokens, signal: controller.signal }));
  })().catch(() => {});
  afterAbortMs.push(await oneToken());
}
const alone = median(aloneMs.length > 0 ? aloneMs : [0]);
const abortMs = afterAbortMs.map(ms => ms - alone);
if (aborts > 0) {
  console.error(
    `abort in the middle of the prompt: ${abortMs.map(ms => ms.toFixed(0)).join(', ')} ms until the engine is free (a job of one token takes ${alone.toFixed(0)} ms alone)`,
  );
}

const report = {
  what: 'a model of true size on this machine: weights are random, so text means nothing and speed and memory mean everything',
  machine: before,
  model: {
    file: basename(path),
    bytes: statSync(path).size,
    parameters: model.info.parameters,
    quantization: model.info.quantization.name,
  },
  engine: engine.settings,
  loadMode: model.info.loadMode,
  loadSeconds,
  memoryAfterLoad: afterLoad,
  memoryAtEnd: memory(),
  job: { promptTokens: prompt.length, tokensPerSample: tokens },
  runs,
  ...(aborts > 0 && { abortUntilFreeMs: spread(abortMs), oneTokenAloneMs: spread(aloneMs) }),
};
const text = `${JSON.stringify(report, null, 2)}\n`;
if (values.out) writeFileSync(values.out, text);
console.log(text);
await engine.close();
await model.close();
