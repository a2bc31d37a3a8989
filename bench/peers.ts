// Meditron beside its peers: the same file, the same token ids, the same threads, in one run, in turn, each in a fresh process.
// Usage: npm run bench:peers -- --model FILE [--server LLAMA_SERVER] [--rounds 5] [--prompt 200] [--samples 5] [--tokens 24] [--out FILE]
import { spawnSync } from 'node:child_process';
import { statSync, writeFileSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { inBytes } from '../src/check/words.js';
import { availableCores } from '../src/engine/capacity/cores.js';
import { machine, median, spread } from './machine.js';
import type { PeerJob, PeerResult } from './peers/job.js';

const { values } = parseArgs({
  options: {
    model: { type: 'string' },
    server: { type: 'string' },
    rounds: { type: 'string', default: '5' },
    prompt: { type: 'string', default: '200' },
    samples: { type: 'string', default: '5' },
    tokens: { type: 'string', default: '24' },
    out: { type: 'string' },
  },
});
if (!values.model)
  throw new Error(
    'Give the model: --model FILE (npm run synth -- --shape meditron-7b --quant q4_k_m --out FILE makes one)',
  );

const job: PeerJob = {
  model: resolve(values.model),
  // Ids spread over the vocabulary, the beginning token first: no tokenizer has a say.
  prompt: [1, ...Array.from({ length: Number(values.prompt) - 1 }, (_, i) => 300 + ((i * 7919) % 30_000))],
  samples: Number(values.samples),
  tokens: Number(values.tokens),
  threads: availableCores(),
  seed: 1000,
  ...(values.server && { server: resolve(values.server) }),
};
const contenders = ['meditron', 'node-llama-cpp', ...(values.server ? ['llama-server'] : [])];
const results: Record<string, PeerResult[]> = Object.fromEntries(contenders.map(name => [name, []]));

for (let round = 0; round < Number(values.rounds); round++) {
  for (const name of contenders) {
    const script = fileURLToPath(new URL(`./peers/${name}.ts`, import.meta.url));
    const child = spawnSync(process.execPath, ['--import', 'tsx', script, JSON.stringify(job)], {
      encoding: 'utf8',
      maxBuffer: 1 << 26,
    });
    const line = child.stdout.trim().split('\n').at(-1) ?? '';
    if (!line.startsWith('{')) throw new Error(`${name} failed: ${child.stdout}${child.stderr}`);
    const result = JSON.parse(line) as PeerResult;
    results[name]!.push(result);
    console.error(
      `round ${round + 1} ${name.padEnd(15)} ${(result.wallMs / 1000).toFixed(2)} s, first token ${(result.firstTokenMs / 1000).toFixed(2)} s, load ${(result.loadMs / 1000).toFixed(1)} s, peak ${inBytes(result.peakRss)}, ${result.distinct} distinct`,
    );
  }
}

const ratios = (name: string) => results.meditron!.map((mine, i) => mine.wallMs / results[name]![i]!.wallMs);
const report = {
  what: 'wall time of n samples of one prompt, prompt evaluation included; ratios are taken round by round',
  machine: await machine(),
  model: { file: basename(job.model), bytes: statSync(job.model).size },
  job: {
    promptTokens: job.prompt.length,
    samples: job.samples,
    tokensPerSample: job.tokens,
    threads: job.threads,
    rounds: Number(values.rounds),
  },
  contenders: Object.fromEntries(
    contenders.map(name => [
      name,
      {
        wallSeconds: spread(results[name]!.map(result => result.wallMs / 1000)),
        firstTokenSeconds: spread(results[name]!.map(result => result.firstTokenMs / 1000)),
        loadSeconds: spread(results[name]!.map(result => result.loadMs / 1000)),
        peakRssBytes: median(results[name]!.map(result => result.peakRss)),
        promptTokensEvaluated: results[name]![0]!.promptTokens,
        distinctSamples: results[name]!.map(result => result.distinct),
      },
    ]),
  ),
  meditronTo: Object.fromEntries(contenders.slice(1).map(name => [name, spread(ratios(name))])),
};
const text = `${JSON.stringify(report, null, 2)}\n`;
if (values.out) writeFileSync(values.out, text);
console.log(text);
