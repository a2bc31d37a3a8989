import { loadModel } from '../../src/index.js';
import { cpuVariantOf, memory } from '../machine.js';
import { answer, readJob } from './job.js';

const job = readJob();
const started = performance.now();
// llama.cpp's kernels are at their fastest with weights that were read.
const loadMode = job.kernels === 'llama.cpp' ? 'read' : 'auto';
const model = await loadModel({ path: job.model, gpuLayers: job.gpu ? 'auto' : 0, loadMode });
const engine = await model.createEngine({
  contextSize: job.prompt.length + job.samples * (job.tokens + 8),
  maxSequences: job.samples,
  threads: job.threads,
  ...(job.kernels && { kernels: job.kernels }),
});
const loadMs = performance.now() - started;

const samplers = Array.from({ length: job.samples }, (_, i) => ({ temperature: 0.8, seed: job.seed + i }));
const run = async (tokens: number) => {
  const before = { ...engine.counters };
  const texts: string[] = [];
  let firstTokenMs = 0;
  const start = performance.now();
  for await (const event of engine.generate({
    prompt: Int32Array.from(job.prompt),
    samplers,
    maxTokens: tokens,
    ignoreEnd: true,
  })) {
    if (event.type === 'text') firstTokenMs ||= performance.now() - start;
    if (event.type === 'end') texts.push(event.tokens.join());
  }
  return {
    wallMs: performance.now() - start,
    firstTokenMs,
    promptTokens: engine.counters.promptTokens - before.promptTokens,
    sampledTokens: engine.counters.sampledTokens - before.sampledTokens,
    distinct: new Set(texts).size,
  };
};
await run(2); // discarded: pages, caches, threads
answer({ loadMs, ...(await run(job.tokens)), peakRss: memory().peakRss, cpuVariant: cpuVariantOf() });
await engine.close();
await model.close();
