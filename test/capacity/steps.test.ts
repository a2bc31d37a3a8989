import fc from 'fast-check';
import { afterEach, expect, test, vi } from 'vitest';
import { measureSteps } from '../../src/engine/width/measure.js';
import type { EngineOptions, GenerateOptions, Model } from '../../src/index.js';

afterEach(() => {
  vi.restoreAllMocks();
});

/** A model by a clock of its own: to begin a job takes `begin` milliseconds, a step of n samples `step(n)`. */
function clocked(begin: number, step: (samples: number) => number): Model {
  let now = 0;
  vi.spyOn(performance, 'now').mockImplementation(() => now);
  const engine = {
    settings: { threads: 1 },
    counters: { decodeMicroseconds: 0, samplingMicroseconds: 0, nativeMicroseconds: 0, processorMicroseconds: 0 },
    prefix: async () => ({ [Symbol.dispose]() {} }),
    async *generate({ samplers, maxTokens }: GenerateOptions) {
      now += begin + step(1);
      yield { type: 'prompt' };
      for (let token = 1; token < maxTokens!; token++) {
        now += step(samplers!.length);
        yield { type: 'text' };
      }
    },
    async [Symbol.asyncDispose]() {},
  };
  const model = { info: { bos: 1 }, createEngine: async (_: EngineOptions) => ({ ...engine, model }) };
  return model as unknown as Model;
}

const milliseconds = (least: number, most: number) =>
  fc.integer({ min: 1000 * least, max: 1000 * most }).map(n => n / 1000);

test('what a step takes is measured without what it takes to begin a job', () =>
  fc.assert(
    fc.asyncProperty(milliseconds(0, 10), milliseconds(0.1, 3), milliseconds(0.1, 3), async (begin, one, further) => {
      const step = (samples: number) => one + further * (samples - 1);
      const { times, quiet } = await measureSteps(clocked(begin, step), [1, 4, 5], {}, undefined);
      expect(quiet).toBe(true);
      expect([...times.keys()].sort()).toEqual([1, 4, 5]);
      for (const [samples, seconds] of times) expect(1000 * seconds).toBeCloseTo(step(samples), 6);
    }),
  ));

test('where a step takes long, the step of a prompt of one token stands for that of one sample', async () => {
  const step = (samples: number) => 150 + 30 * samples;
  const { times } = await measureSteps(clocked(2, step), [1, 4, 5], {}, undefined);
  expect(1000 * times.get(1)!).toBeCloseTo(182, 6);
  for (const samples of [4, 5]) expect(1000 * times.get(samples)!).toBeCloseTo(step(samples), 6);
});
