import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getLlama, LlamaLogLevel, type Token } from 'node-llama-cpp';
import { cpuVariantOf, memory } from '../machine.js';
import { answer, readJob } from './job.js';

// Parallel sequences of one context, as its public interface offers: each evaluates the prompt for itself or, by state, all but one
// load the state that it has after all but the last token from a file.
const job = readJob();
const started = performance.now();
const llama = await getLlama({
  gpu: job.gpu ? 'auto' : false,
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

const prompt = job.prompt as Token[];
const folder = mkdtempSync(join(tmpdir(), 'meditron-bench-'));
const shareState = async () => {
  const file = join(folder, 'state');
  const [first, ...others] = sequences;
  await first!.evaluateWithoutGeneratingNewTokens(prompt.slice(0, -1));
  await first!.saveStateToFile(file);
  for (const sequence of others) await sequence.loadStateFromFile(file, { acceptRisk: true });
};

const run = async (tokens: number) => {
  let firstTokenMs = 0;
  for (const sequence of sequences) await sequence.clearHistory();
  const start = performance.now();
  if (job.byState) await shareState();
  const left = job.byState ? prompt.slice(-1) : prompt;
  const texts = await Promise.all(
    sequences.map(async (sequence, i) => {
      const ids: number[] = [];
      const options = { temperature: 0.8, topK: 0, topP: 1, minP: 0, seed: job.seed + i, yieldEogToken: true };
      for await (const token of sequence.evaluate(left, options)) {
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
    promptTokens: job.byState ? prompt.length - 1 + job.samples : prompt.length * job.samples,
    sampledTokens: texts.reduce((sum, ids) => sum + ids.length, 0),
    distinct: new Set(texts.map(ids => ids.join())).size,
  };
};
await run(2);
answer({ loadMs, ...(await run(job.tokens)), peakRss: memory().peakRss, cpuVariant: cpuVariantOf() });
rmSync(folder, { recursive: true });
await context.dispose();
await model.dispose();
process.exit(0);
