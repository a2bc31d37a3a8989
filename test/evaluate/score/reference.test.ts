import { expect, test } from 'vitest';
import { referenceLabel, referenceModel, references, referencesFor } from '../../../src/evaluate/score/reference.js';

test('the figure of Table 4 for the published base weights', () => {
  const [first, ...others] = referencesFor({ model: 'Meditron-70B', mode: 'top-token', task: 'medqa' });
  expect(first).toMatchObject({ accuracy: 52, sd: 1.21, n: 1273, shots: 5, weights: 'base', reproducible: true });
  expect(others.map(r => [r.accuracy, r.reproducible])).toEqual([[60.7, false]]);
});

test('every figure says its scorer, its weights and its table', () => {
  const [sc] = referencesFor({ model: 'Meditron-70B', mode: 'sc-cot', task: 'mmlu-medical' });
  expect(referenceLabel(sc!)).toBe(
    "77.6 % (n 1862, zero-shot, task fine-tune (weights not published); majority of 5 sampled chains, authors' parser; arXiv 2311.16079, Table 5)",
  );
  for (const r of references) expect([r.scorer, r.source].every(text => text.length > 5)).toBe(true);
});

// The counts behind the self-consistency figures: 408/500, 820/1,273, 894/1,273, 1,444/1,862.
test.each([
  ['pubmedqa', 408],
  ['medqa', 820],
  ['medqa4', 894],
  ['mmlu-medical', 1444],
] as const)('%s: the figure is what %d right answers give', (task, right) => {
  const [sc] = referencesFor({ model: 'Meditron-70B', mode: 'sc-cot', task });
  expect(Math.abs((100 * right) / sc!.n - sc!.accuracy)).toBeLessThan(0.06);
});

test.each([
  ['Meditron-7B', 'top-token'],
  ['Meditron-70B', 'top-token'],
  ['Meditron-70B', 'cot'],
  ['Meditron-70B', 'sc-cot'],
] as const)(
  '%s %s: the subjects of Table 12, weighted by their questions, give the total of Table 5',
  (model, mode) => {
    const subjects = references.filter(r => r.source.endsWith('Table 12') && r.model === model && r.mode === mode);
    expect(subjects).toHaveLength(9);
    const n = subjects.reduce((sum, r) => sum + r.n, 0);
    expect(n).toBe(1862);
    const mean = subjects.reduce((sum, r) => sum + r.n * r.accuracy, 0) / n;
    const total = referencesFor({ model, mode, task: 'mmlu-medical' }).find(r => r.source.endsWith('Table 5'))!;
    expect(Math.abs(mean - total.accuracy)).toBeLessThan(0.26);
  },
);

test.each([
  ['Meditron-7B', 42.8],
  ['Meditron-70B', 63.3],
  ['Llama-2-7B', 38.6],
  ['Llama-2-70B', 60.8],
] as const)('%s: the five figures of Table 4 average to the one printed', (model, average) => {
  const row = references.filter(r => r.source.endsWith('Table 4') && r.model === model);
  expect(Math.abs(row.reduce((sum, r) => sum + r.accuracy, 0) / 5 - average)).toBeLessThan(0.06);
});

test('a figure that does not exist is no figure', () => {
  expect(referencesFor({ model: 'Meditron-7B', mode: 'sc-cot', task: 'medqa' })).toEqual([]);
  expect(referencesFor({ model: 'Meditron-70B', mode: 'cot', task: 'clinical' })).toEqual([]);
});

test.each([
  ['meditron-7b.Q4_K_M.gguf', 'Meditron-7B'],
  ['epfl-llm/meditron-70b', 'Meditron-70B'],
  ['llama-2-70b-hf', 'Llama-2-70B'],
  ['Llama-3-8B-Meditron', undefined],
  ['Meditron3-70B', undefined],
  ['meditron-mini', undefined],
  ['meditron-1.7b', undefined],
] as const)('%s stands for %s', (name, model) => {
  expect(referenceModel(name)).toBe(model);
});
