// Meditron beside the kernels alone: tokens a second in the generation phase, the same numbers of sequences, tokens and threads.
import { basename } from 'node:path';
import type { Engine } from '../src/engine/engine.js';
import { loadModel } from '../src/index.js';
import type { KernelJob, LlamaBenches } from './llama-benches.js';
import { cpuVariantOf, type Spread, spread } from './machine.js';

/** Tokens a second of all sequences together, and what Meditron reaches of the kernels' in each round. */
export interface Width {
  readonly samples: number;
  readonly kernels: Spread;
  readonly meditron: Spread;
  readonly withLogprobs: Spread;
  readonly toKernels: Spread;
  readonly withLogprobsToKernels: Spread;
}

export interface KernelComparison {
  readonly model: string;
  readonly threads: number;
  readonly promptTokens: number;
  readonly tokens: number;
  readonly rounds: number;
  readonly cpuVariant: { readonly meditron: string | null; readonly kernels: string | null };
  readonly widths: readonly Width[];
  /** `llama-bench`, one stream behind an empty cache: prompt and generation. */
  readonly stream: { readonly prompt: Spread; readonly generation: Spread };
}

export interface KernelRounds extends KernelJob {
  readonly widths: readonly number[];
  readonly rounds: number;
}

/** All three in turn, each first as often as last, so that a machine that gets slower favours none. */
export async function againstKernels(
  kernels: LlamaBenches,
  { widths, rounds, ...job }: KernelRounds,
  note: (text: string) => void,
): Promise<KernelComparison> {
  const { model: path, threads, promptTokens, tokens, gpu } = job;
  await using model = await loadModel({ path, gpuLayers: gpu ? 'auto' : 0 });
  const variants = new Set<string | null>();
  const measured: Width[] = [];
  for (const samples of widths) {
    const contextSize = promptTokens + samples * (tokens + 1);
    await using engine = await model.createEngine({ contextSize, maxSequences: samples, threads });
    const generation = (logprobs: boolean, length = tokens) =>
      tokensPerSecond(engine, { samples, promptTokens, tokens: length, logprobs });
    const ways = {
      kernels: async () => {
        const speed = await kernels.batched(job, samples);
        variants.add(speed.cpuVariant);
        return speed.generation;
      },
      meditron: () => generation(false),
      withLogprobs: () => generation(true),
    };
    await generation(true, 4); // pages come, threads start
    const made = await inTurn(ways, rounds);
    const width: Width = {
      samples,
      kernels: spread(made.map(round => round.kernels)),
      meditron: spread(made.map(round => round.meditron)),
      withLogprobs: spread(made.map(round => round.withLogprobs)),
      toKernels: spread(made.map(round => round.meditron / round.kernels)),
      withLogprobsToKernels: spread(made.map(round => round.withLogprobs / round.kernels)),
    };
    measured.push(width);
    note(
      `${basename(path)}, ${samples} at once: ${width.toKernels.median.toFixed(2)} of the kernels, ` +
        `${width.withLogprobsToKernels.median.toFixed(2)} with log-probabilities`,
    );
  }
  const streams = [];
  for (let i = 0; i < rounds; i++) streams.push(await kernels.stream(job));
  return {
    model: basename(path),
    threads,
    promptTokens,
    tokens,
    rounds,
    cpuVariant: { meditron: cpuVariantOf(), kernels: [...variants].join() || null },
    widths: measured,
    stream: {
      prompt: spread(streams.map(({ prompt }) => prompt)),
      generation: spread(streams.map(({ generation }) => generation)),
    },
  };
}

/** Each of some ways to a figure once a round; every round begins with the next of them. */
export async function inTurn<Name extends string>(
  ways: Readonly<Record<Name, () => Promise<number>>>,
  rounds: number,
): Promise<Record<Name, number>[]> {
  const names = Object.keys(ways) as Name[];
  const made: Record<Name, number>[] = [];
  for (let round = 0; round < rounds; round++) {
    const figures: Partial<Record<Name, number>> = {};
    const first = round % names.length;
    for (const name of [...names.slice(first), ...names.slice(0, first)]) figures[name] = await ways[name]();
    made.push(figures as Record<Name, number>);
  }
  return made;
}

interface Generation {
  readonly samples: number;
  readonly promptTokens: number;
  readonly tokens: number;
  readonly logprobs: boolean;
}

/** From the end of the prompt on: as many steps as there are tokens, because the prompt's own gives one more. */
async function tokensPerSecond(
  engine: Engine,
  { samples, promptTokens, tokens, logprobs }: Generation,
): Promise<number> {
  const samplers = Array.from({ length: samples }, () => ({ temperature: 0.8 }));
  const work = { prompt: promptOf(promptTokens), samplers, seed: 1, maxTokens: tokens + 1, logprobs, ignoreEnd: true };
  const before = engine.counters.sampledTokens;
  let from = Number.NaN;
  for await (const event of engine.generate(work)) {
    if (event.type === 'prompt' && event.done === event.total) from = performance.now();
  }
  const sampled = engine.counters.sampledTokens - before - samples;
  if (sampled !== samples * tokens) throw new Error(`Expected ${samples * tokens} tokens, got ${sampled}`);
  return sampled / ((performance.now() - from) / 1000);
}

/** Ids spread over the vocabulary, the beginning token first: no tokenizer has a say. */
export function promptOf(length: number): Int32Array {
  return Int32Array.from({ length }, (_, i) => (i === 0 ? 1 : 300 + ((i * 7919) % 30_000)));
}
