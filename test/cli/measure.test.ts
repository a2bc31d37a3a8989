import { describe, expect, test } from 'vitest';
import type { Abilities, Ability } from '../../src/cli/measure/abilities.js';
import { described } from '../../src/cli/measure/words.js';
import { limitOf } from '../../src/engine/capacity/limits.js';
import { meditron } from './command.js';

test('devices --measure says of a 7B and a 70B how fast they would be, and what holds them back', async () => {
  const { code, stdout } = await meditron(['devices', '--measure', '--json']);
  expect(code).toBe(0);
  const { measured, cpu } = JSON.parse(stdout) as { measured: Abilities; cpu: { threads: number } };
  expect(measured.threads).toBe(cpu.threads);
  expect(measured.readBytesPerSecond.one).toBeGreaterThan(0);
  expect(measured.readBytesPerSecond.all).toBeGreaterThan(0);
  expect(measured.processorShare).toBeGreaterThan(0);
  expect(measured.processorShare).toBeLessThanOrEqual(1);
  expect(measured.models.map(({ name }) => name)).toEqual([
    expect.stringContaining('7B'),
    expect.stringContaining('70B'),
  ]);
  for (const model of measured.models) {
    expect(model.bytesPerStep).toBeGreaterThan(0.9 * model.bytes);
    expect(model.bytesPerStep).toBeLessThan(model.bytes);
    const { tokensPerSecond, promptTokensPerSecond, heldBack } = model;
    for (const speed of Object.values(tokensPerSecond!)) expect(speed).toBeGreaterThan(0);
    expect(promptTokensPerSecond).toBeGreaterThan(0);
    for (const work of Object.values(heldBack!)) {
      expect(work.readingShare).toBeGreaterThan(0);
      const fits = model.fits !== 'no';
      expect(work.by).toBe(limitOf(work, { fits, processorShare: measured.processorShare }));
    }
  }
  const [small, large] = measured.models;
  expect(large!.tokensPerSecond!.one).toBeLessThan(small!.tokensPerSecond!.one);
}, 300_000); // its threads wait for each other by spinning, beside those of other tests

describe('in words', () => {
  const work = { readingShare: 0.4, threadsGain: 1.9 };
  const model: Ability = {
    ...{ name: 'MEDITRON 7B', quantization: 'Q4_K_M', bytes: 4.1e9, memoryBytes: 5e9, availableBytes: 8e9 },
    fits: 'yes',
    ...{ lowMemory: false, bytesPerStep: 4e9, tokensPerSecond: { one: 4.4, five: 12 } },
    ...{ promptTokensPerSecond: 40, questionSeconds: 90 },
    heldBack: {
      one: { ...work, readingShare: 0.9, by: 'memory bandwidth' },
      five: { ...work, by: 'cores' },
      prompt: { ...work, by: 'cores' },
    },
  };
  const abilities: Abilities = {
    ...{ seconds: 5, threads: 2, readBytesPerSecond: { one: 11e9, all: 20e9 }, processorShare: 0.97, warnings: [] },
    models: [model],
  };

  test('each kind of work has its speed and its reason', () => {
    const text = described(abilities).replace(/\s+/g, ' ');
    expect(text).toContain('20 GB/s read by 2 threads, 11 GB/s by one');
    expect(text).toContain('processor 97 % of the time that 2 threads wanted');
    expect(text).toContain(
      'one sample 4.4 tokens/s; held back by memory bandwidth: reading 4 GB a step takes 90 % of the time',
    );
    expect(text).toContain(
      '5 samples 12 tokens/s in all; held back by the cores: 2 threads do 1.9 times as much as one',
    );
  });

  test('a model that does not fit is said to be read from the disk', () => {
    const text = described({ ...abilities, models: [{ ...model, fits: 'no' }] }).replace(/\s+/g, ' ');
    expect(text).toContain(
      'does not fit: 5 GB of memory needed, 8 GB free. What is missing is read from the disk in every step',
    );
    expect(text).toContain('held back by memory and, with enough of it, the cores: 2 threads');
  });

  test('other programs are named with what they took', () => {
    const text = described({ ...abilities, processorShare: 0.6 });
    expect(text.replace(/\s+/g, ' ')).toContain('held back by other programs, which took 40 % of the processor');
  });

  test('without a measurement the memory is still told', () => {
    const none = { tokensPerSecond: null, promptTokensPerSecond: null, questionSeconds: null, heldBack: null };
    expect(described({ ...abilities, models: [{ ...model, ...none }] })).toMatch(/memory +fits: 5 GB of memory needed/);
  });
});
