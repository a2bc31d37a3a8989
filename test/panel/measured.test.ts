import { expect, test } from 'vitest';
import type { Answer } from '../../src/ask/types.js';
import { checkMeasured, measuredInWords, measurementOf } from '../../src/panel/measured.js';
import type { Measurement } from '../../src/panel/types.js';

const measured = (more: Partial<Measurement> = {}): Measurement => ({
  sha256: ['aa', 'bb'],
  title: 'Own questions',
  created: '2026-11-02T12:00:00.000Z',
  run: 'SC-CoT, 5 samples',
  ...{ mode: 'sc-cot', protocol: 'strict', samples: 5, n: 1000, correct: 814, low: 0.7887, high: 0.837 },
  ...more,
});

/** An answer of a model in two parts, as far as a measurement is found by it. */
const answered = (files: readonly string[] | null = ['aa', 'bb']) =>
  ({
    evidence: {
      model: { files: files?.map(sha256 => ({ sha256 })) ?? null },
      asked: { mode: 'sc-cot', protocol: 'strict', samples: 5 },
    },
  }) as unknown as Answer;

test('a measurement is of the same file, all its parts, and the same way of asking', () => {
  const one = measured();
  expect(measurementOf(answered(), [one])).toBe(one);
  for (const other of [{ sha256: ['aa'] }, { sha256: ['bb', 'aa'] }, { mode: 'cot' }, { protocol: 'paper' }] as const)
    expect(measurementOf(answered(), [measured(other)]), JSON.stringify(other)).toBeNull();
  expect(measurementOf(answered(null), [one])).toBeNull();
  expect(measurementOf(null, [one])).toBeNull();
});

test('of several the one with as many samples is taken, then the latest', () => {
  const [few, old, late] = [
    measured({ samples: 3, created: '2026-11-09T12:00:00.000Z' }),
    measured({ created: '2026-11-01T12:00:00.000Z' }),
    measured({ created: '2026-11-08T12:00:00.000Z' }),
  ];
  for (const order of [
    [few, old, late],
    [late, old, few],
    [old, few, late],
  ])
    expect(measurementOf(answered(), order)).toBe(late);
  expect(measurementOf(answered(), [few])).toBe(few);
});

test('it is told with its count, its interval where there are a hundred questions, and what and when it was', () => {
  expect(measuredInWords(measured())).toBe(
    'right in 814 of 1,000 questions (95 % interval 79 to 84 of 100): Own questions, SC-CoT, 5 samples, 2026-11-02',
  );
  expect(measuredInWords(measured({ n: 100, correct: 80 }))).toContain('interval');
  expect(measuredInWords(measured({ n: 99, correct: 80 }))).toBe(
    'right in 80 of 99 questions: Own questions, SC-CoT, 5 samples, 2026-11-02',
  );
  expect(measuredInWords(null)).toBe('not measured');
});

test('measurements from outside are checked, and named where they are wrong', () => {
  expect(checkMeasured([measured()])).toEqual([measured()]);
  expect(() => checkMeasured({})).toThrow(expect.objectContaining({ code: 'ERR_OPTION' }));
  for (const wrong of [{ low: -0.1 }, { high: 1.5 }, { n: 1.5 }, { mode: 'x' }] as object[])
    expect(() => checkMeasured([measured(), { ...measured(), ...wrong }]), JSON.stringify(wrong)).toThrow(
      expect.objectContaining({ code: 'ERR_INPUT', message: expect.stringMatching(/measured\[1\]/) }),
    );
});
