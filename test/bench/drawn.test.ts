import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { pictureOf, readmeWith, tablesOf } from '../../bench/draw.js';
import type { BenchReport } from '../../bench/report.js';

const folder = new URL('../../bench/', import.meta.url);
const read = (name: string) => readFileSync(new URL(name, folder), 'utf8');
const found = (name: string) => (existsSync(new URL(name, folder)) ? read(name) : undefined);
const report = JSON.parse(found('results/bench.json') ?? 'null') as BenchReport | null;

test('the tables of bench/README.md are those of the committed report', () => {
  expect(readmeWith(read('README.md'), report)).toBe(read('README.md'));
});

test('and so is the picture', () => {
  expect(report ? pictureOf(report) : undefined).toBe(found('results/bench.svg'));
});

describe('a report', () => {
  const spread = (median: number) => ({ median, min: median / 2, max: median * 2 });
  const contender = {
    ...{ wallSeconds: spread(20), firstTokenSeconds: spread(3), loadSeconds: spread(2), meditronToIt: spread(1) },
    ...{ peakRssBytes: 5e9, promptTokensEvaluated: 200, distinctSamples: [5], cpuVariant: 'zen4' },
  };
  const widths = [1, 5, 8].map(samples => ({
    ...{ samples, kernels: spread(1000), meditron: spread(950), withLogprobs: spread(870) },
    ...{ toKernels: spread(0.95), withLogprobsToKernels: spread(0.87) },
  }));
  const made = {
    what: '',
    form: 'short',
    machine: { ...machine(), loadAfter: 0.2 },
    ...{ seconds: 200, leftOut: ['the comparison with <llama-server>: it is not here'] },
    stepOverheadMicroseconds: { '1': 55, '8': 110 },
    kernels: [
      {
        ...{ model: 'meditron-mini.gguf', threads: 1, promptTokens: 200, tokens: 128, rounds: 6, widths },
        cpuVariant: { meditron: 'zen4', kernels: 'zen4' },
        stream: { prompt: spread(20_000), generation: spread(1200) },
      },
    ],
    peers: {
      ...{ model: { file: 'a&b.gguf', bytes: 4e9 }, promptTokens: 200, samples: 5, tokensPerSample: 24 },
      ...{ threads: 2, rounds: 3, contenders: { meditron: contender, 'node-llama-cpp': contender } },
    },
  } as unknown as BenchReport;

  test('is drawn with a row a width and a row a contender, and says what was left out', () => {
    const tables = tablesOf(made);
    for (const samples of [1, 5, 8])
      expect(tables).toMatch(new RegExp(`^\\| ${samples} \\| 1000 .*\\*\\*0.95\\*\\*`, 'm'));
    expect(tables).toMatch(/^\| Meditron \| 20\.0 \(10\.0–40\.0\) s \| {2}\|/m);
    expect(tables).toMatch(/^\| node-llama-cpp \| .*\*\*1\.00\*\*/m);
    expect(tables).toContain('55 µs with one sequence, 110 µs with 8 sequences');
    expect(tables).toMatch(/^Left out: the comparison with <llama-server>/m);
  });

  test('is a picture of well-formed elements, a bar each', () => {
    const picture = pictureOf(made);
    expect(picture.match(/<rect x=/g)).toHaveLength(3 * 3 + 2);
    expect(picture).not.toMatch(/&(?!amp;|lt;)|NaN|undefined/);
  });

  test('replaces what was drawn before and leaves the rest of the page', () => {
    const page = readmeWith(read('README.md'), made);
    expect(readmeWith(page, report)).toBe(read('README.md'));
  });
});

function machine() {
  return {
    ...{ date: '2026-01-01T00:00:00.000Z', commit: 'abc', changed: false, processor: 'P', cores: 2, memoryGB: 16 },
    ...{ kernel: 'Linux 6', node: 'v20', llama: 'v0.4.0', build: 'prebuilt', cpuVariant: 'zen4', loadBefore: 0.1 },
  };
}
