import { expect, test } from 'vitest';
import { availableCores } from '../../src/engine/capacity/cores.js';
import { ends, loadStories } from './stories.js';

/** Below so many samples in a step, flash attention may depend on the number of threads. */
const several = Array.from({ length: 3 }, () => ({ temperature: 0.8 }));

test.runIf(availableCores() > 1)(
  'texts and log-probabilities are the same on one thread, on all, and while their number follows the machine; the counters say how many there were',
  async () => {
    await using model = await loadStories({ gpuLayers: 0 });
    const cores = availableCores();
    const ways = [{ threads: 1 }, { threads: cores }, { threads: cores, adaptThreads: true }];
    const results = [];
    for (const way of ways) {
      await using engine = await model.createEngine({ ...way, contextSize: 512, maxSequences: 3 });
      const job = {
        prompt: 'Once upon a time',
        samplers: several,
        maxTokens: 6,
        ignoreEnd: true,
        logprobs: true,
        seed: 7,
      };
      results.push((await ends(engine.generate(job))).map(({ tokens, logprobs }) => ({ tokens, logprobs })));
      const { steps, threadSteps } = engine.counters;
      if (way.adaptThreads) {
        expect(threadSteps).toBeGreaterThanOrEqual(steps);
        expect(threadSteps).toBeLessThanOrEqual(cores * steps);
      } else expect(threadSteps).toBe(way.threads * steps);
      expect(engine.settings.threads).toBe(way.threads);
    }
    expect(results[1]).toEqual(results[0]);
    expect(results[2]).toEqual(results[0]);
  },
);
