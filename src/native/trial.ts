import type { Addon, NativeBranch, NativeEngine } from './addon.js';

/** One way of computing on a device. */
export interface Way {
  readonly words: string;
  readonly flashAttention: 'on' | 'off';
}

export const ways: readonly Way[] = [
  { words: 'with flash attention', flashAttention: 'on' },
  { words: 'without flash attention', flashAttention: 'off' },
];

/**
 * How far a log-probability may be from the CPU's. The CPU with flash attention is up to 0.07 from the CPU without, Vulkan on llvmpipe
 * up to 0.10: both round activations in other places. Attention left out is 4.2 away, keys of the wrong sign 5.5.
 */
export const tolerance = 0.5;

/** The prompt: some tokens more than a matrix kernel takes in one go. */
const prompt = Int32Array.from({ length: 40 }, (_, i) => 3 + ((i * 37) % 286));

/** Samples at once: a device has other kernels for few rows than for many. */
const widths = [5, 33];

/**
 * Evaluates a prompt and decodes with several sequences, which end one after the other, so that every number of rows occurs.
 * Every sequence is made to go on with a token of its own: then the numbers of two devices belong to the same texts.
 *
 * @param device its name; undefined for the CPU
 * @param doing told what comes next
 * @returns log-probabilities, always in the same order
 * @throws what the addon throws
 */
export async function logprobs(
  addon: Addon,
  model: string,
  device: string | undefined,
  way: Way,
  doing: (what: string) => void = () => {},
): Promise<Float64Array> {
  doing('loading a model');
  const weights = new addon.Model();
  try {
    await weights.load({
      paths: [model],
      gpuLayers: device === undefined ? 0 : 99,
      devices: device === undefined ? [] : [device],
      mmap: false,
      whole: false,
      repack: false,
      mlock: false,
    });
    doing(`making a context ${way.words}`);
    const engine = new addon.Engine(weights);
    try {
      await engine.open({
        contextSize: 256,
        batchSize: 64,
        maxSequences: Math.max(...widths),
        threads: 1,
        samplers: 1,
        adaptThreads: false,
        streamed: '',
        stay: 0,
        resident: true,
        poll: 0,
        kvType: 'f16',
        kernels: 'auto',
        flashAttention: way.flashAttention,
        loras: [],
      });
      const found: number[] = [];
      for (const width of widths) {
        doing(`computing ${width} samples ${way.words}`);
        found.push(...(await decode(engine, width)));
      }
      return Float64Array.from(found);
    } finally {
      await engine.close();
    }
  } finally {
    await weights.close();
  }
}

async function decode(engine: NativeEngine, width: number): Promise<number[]> {
  const branches = Array.from({ length: width }, (_, i) => branch(10 + 7 * i, 1 + Math.min(i, 4)));
  const cells = prompt.length + branches.reduce((sum, { maxTokens }) => sum + maxTokens - 1, 0);
  const ids = [...engine.add({ from: -1, fromSize: -1, cells, prompt, branches, state: null })];
  const found = ids.map((): number[] => []);
  for (let left = width; left > 0; ) {
    const step = await engine.step(0);
    const failure = step.failures[0];
    if (failure) throw Object.assign(new Error(failure.message), { code: failure.code });
    for (const [i, seq] of step.seq.entries()) {
      found[ids.indexOf(seq)]!.push(step.logprob[i]!);
      if (step.finish[i] !== 0) left--;
    }
  }
  return found.flat();
}

/** A sample that always chooses the same token, and says how likely that was. */
function branch(token: number, maxTokens: number): NativeBranch {
  return {
    maxTokens,
    forced: new Int32Array(0),
    logprobs: true,
    topLogprobs: 0,
    ends: new Int32Array(0),
    stops: [],
    stopTokens: new Int32Array(0),
    hold: false,
    sampler: {
      temperature: 0,
      topK: 0,
      topP: 1,
      minP: 0,
      repeatPenalty: 1,
      frequencyPenalty: 0,
      presencePenalty: 0,
      seed: 0,
      grammar: '',
      biasTokens: Int32Array.of(token),
      biases: Float32Array.of(1e4),
    },
  };
}

/** How far apart two lists are at most; NaN where one of them is not a number or they are of other lengths. */
export function difference(a: Float64Array, b: Float64Array): number {
  if (a.length !== b.length) return Number.NaN;
  return a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i]!)), 0);
}
