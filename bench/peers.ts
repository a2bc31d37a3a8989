// Meditron beside its peers: the same file, the same token ids, the same threads, in turn, each in a fresh process.
import { spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inBytes } from '../src/check/words.js';
import { median, type Spread, spread } from './machine.js';
import type { PeerJob, PeerResult } from './peers/job.js';

/** What one of them took for all samples, prompt included. */
export interface Contender {
  readonly wallSeconds: Spread;
  readonly firstTokenSeconds: Spread;
  readonly loadSeconds: Spread;
  readonly peakRssBytes: number;
  readonly promptTokensEvaluated: number;
  readonly distinctSamples: readonly number[];
  readonly cpuVariant: string | null;
  /** Meditron's wall time to its, round by round. */
  readonly meditronToIt: Spread;
}

export interface PeerComparison {
  readonly model: { readonly file: string; readonly bytes: number };
  readonly promptTokens: number;
  readonly samples: number;
  readonly tokensPerSample: number;
  readonly threads: number;
  readonly rounds: number;
  readonly contenders: Readonly<Record<string, Contender>>;
}

/** The script of each, and what it is to do differently. `node-llama-cpp` evaluates the prompt once a sample, which is its usual way. */
const ways = {
  meditron: { script: 'meditron', job: {} },
  'Meditron, llama.cpp’s kernels': { script: 'meditron', job: { kernels: 'llama.cpp' } },
  'node-llama-cpp': { script: 'node-llama-cpp', job: {} },
  'node-llama-cpp, prompt by state file': { script: 'node-llama-cpp', job: { byState: true } },
  'llama-server': { script: 'llama-server', job: {} },
} as const satisfies Record<string, { script: string; job: Partial<PeerJob> }>;

export function againstPeers(job: PeerJob, rounds: number, note: (text: string) => void): PeerComparison {
  const names = (Object.keys(ways) as (keyof typeof ways)[]).filter(name => name !== 'llama-server' || job.server);
  const results: Record<string, PeerResult[]> = Object.fromEntries(names.map(name => [name, []]));
  for (let round = 0; round < rounds; round++) {
    const first = round % names.length;
    for (const name of [...names.slice(first), ...names.slice(0, first)]) {
      const result = runOne(ways[name].script, { ...job, ...ways[name].job });
      results[name]!.push(result);
      note(
        `${name}: ${(result.wallMs / 1000).toFixed(2)} s, first token ${(result.firstTokenMs / 1000).toFixed(2)} s, ` +
          `load ${(result.loadMs / 1000).toFixed(1)} s, peak ${inBytes(result.peakRss)}, ${result.distinct} distinct`,
      );
    }
  }
  const contender = (made: readonly PeerResult[]): Contender => ({
    wallSeconds: spread(made.map(({ wallMs }) => wallMs / 1000)),
    firstTokenSeconds: spread(made.map(({ firstTokenMs }) => firstTokenMs / 1000)),
    loadSeconds: spread(made.map(({ loadMs }) => loadMs / 1000)),
    peakRssBytes: median(made.map(({ peakRss }) => peakRss)),
    promptTokensEvaluated: made[0]!.promptTokens,
    distinctSamples: made.map(({ distinct }) => distinct),
    cpuVariant: made[0]!.cpuVariant,
    meditronToIt: spread(made.map(({ wallMs }, i) => results.meditron![i]!.wallMs / wallMs)),
  });
  return {
    model: { file: basename(job.model), bytes: statSync(job.model).size },
    promptTokens: job.prompt.length,
    samples: job.samples,
    tokensPerSample: job.tokens,
    threads: job.threads,
    rounds,
    contenders: Object.fromEntries(names.map(name => [name, contender(results[name]!)])),
  };
}

function runOne(name: string, job: PeerJob): PeerResult {
  const script = fileURLToPath(new URL(`./peers/${name}.ts`, import.meta.url));
  const child = spawnSync(process.execPath, ['--import', 'tsx', script, JSON.stringify(job)], {
    encoding: 'utf8',
    maxBuffer: 1 << 26,
  });
  const line = child.stdout.trim().split('\n').at(-1) ?? '';
  if (!line.startsWith('{')) throw new Error(`${name} failed: ${child.stdout}${child.stderr}`);
  return JSON.parse(line) as PeerResult;
}
