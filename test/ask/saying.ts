import type { Answerer, Completion, Request } from '../../src/answerer/answerer.js';

/** Says the same to every prompt. */
export function saying(text: string, hash?: Answerer['hash']): Answerer & { readonly requests: Request[] } {
  const info = {
    path: 'x.gguf',
    name: 'x',
    architecture: null,
    chatTemplate: null,
    specialTokens: {},
    ends: [2],
    files: [],
  };
  const model = { path: 'x.gguf', file: 'x.gguf', sizeBytes: 1, name: 'x', architecture: null };
  const machine = { platform: 'any', arch: 'any', node: 'any', devices: [], cpuVariant: null };
  const end = (sample: number): Completion => ({ sample, finish: 'end', text, tokens: [], tokenCount: 1, logprob: -1 });
  const requests: Request[] = [];
  return {
    requests,
    model: { info, special: async text => (text === '</s>' ? 2 : undefined) },
    counters: { steps: 0, promptTokens: 0, sampledTokens: 0 },
    describe: () => ({
      model: { ...model, quantization: 'none', loadMode: 'read', gpuLayers: 0 },
      machine,
      llama: null,
      engine: null,
    }),
    ...(hash && { hash }),
    async fit(request) {
      requests.push(request);
      const waves = [Math.max(1, request.samples.length)];
      const tokens = request.prompts.map(() => null);
      const session = {
        promptTokens: null,
        async *complete(samples: readonly number[]) {
          for (const sample of samples) yield { type: 'end', ...end(sample) } as const;
        },
        choose: async (where: object) => {
          const { continuations, reask } = request.prompts[0]!;
          const offered = 'sample' in where ? reask!.continuations : continuations;
          return offered.map((_, i) => ({ logprob: -1 - i, tokens: [i] }));
        },
        release() {},
        [Symbol.dispose]() {},
      };
      return {
        waves,
        maxTokens: request.maxTokens,
        promptTokens: null,
        tokens,
        warnings: [],
        begin: async () => session,
      };
    },
  };
}
