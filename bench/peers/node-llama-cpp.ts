import { getLlama, LlamaLogLevel } from 'node-llama-cpp';
import { memory } from '../machine.js';
import { answer, readJob } from './job.js';

// Five parallel sequences of one context, each with its own copy of the prompt: what its public interface offers.
const job = readJob();
const started = performance.now();
const llama = await getLlama({
  gpu: false,
  build: 'never',
  skipDownload: true,
  maxThreads: job.threads,
  logLevel: LlamaLogLevel.error,
});
const model = await llama.loadModel({ modelPath: job.model });
const context = await model.createContext({
  sequences: job.samples,
  contextSize: job.prompt.length + job.tokens + 8,
  threads: job.threads,
  batchSize: 512,
  flashAttention: false,
});
const loadMs = performance.now() - started;
const sequences = Array.from({ length: job.samples }, () => context.getSequence());

const run = async (tokens: number) => {
  let firstTokenMs = 0;
  const start = performance.now();
  const texts = await Promise.all(
    sequences.map(async (sequence, i) => {
      await sequence.clearHistory();
      const ids: number[] = [];
      const options = { temperature: 0.8, topK: 0, topP: 1, minP: 0, seed: job.seed + i, yieldEogToken: true };
      for await (const token of sequence.evaluate(job.prompt as never, options)) {
        firstTokenMs ||= performance.now() - start;
        ids.push(token);
        if (ids.length === tokens) break;
      }
      return ids;
    }),
  );
  return {
    wallMs: performance.now() - start,
    firstTokenMs,
    promptTokens: job.prompt.length * job.samples,
    sampledTokens: texts.reduce((sum, ids) => sum + ids.length, 0),
    distinct: new Set(texts.map(ids => ids.join())).size,
  };
};
await run(2);
answer({ loadMs, ...(await run(job.tokens)), peakRss: memory().peakRss });
await context.dispose();
await model.dispose();
process.exit(0);
