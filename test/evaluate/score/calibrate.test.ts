import { describe, expect, test } from 'vitest';
import { readCalibration } from '../../../src/ask/calibration.js';
import { evaluate } from '../../../src/evaluate/evaluate.js';
import { calibrationInWords } from '../../../src/evaluate/report/calibration.js';
import type { RunOptions } from '../../../src/evaluate/run/runs.js';
import { calibrationOf } from '../../../src/evaluate/score/calibrate.js';
import { readEvaluation } from '../../../src/evaluate/storage/evaluation.js';
import type { Item } from '../../../src/evaluate/tasks/task.js';
import { emptyFolder, itemsOf, setOf } from '../run/items.js';
import { scriptedTarget } from '../run/scripted.js';

const sha256 = 'ab'.repeat(32);
const facts = [
  { name: 'model', value: 'scripted' },
  { name: 'model SHA-256', value: sha256 },
];
const options = { modes: ['sc-cot'], samples: 3, format: 'raw' } as const;
type Facts = readonly { readonly name: string; readonly value: string }[];

/** Gives the right answer two of three votes, and to questions with `hard` in them one. */
async function stored(items: readonly Item[], more: RunOptions = {}, subject: Facts = facts) {
  const out = emptyFolder();
  const heardOf = new Map<string, number>();
  const target = {
    ...scriptedTarget((_, prompt) => {
      const sample = (heardOf.get(prompt) ?? 0) % 3;
      heardOf.set(prompt, sample + 1);
      const right = 'ABCD'[Number(/number (\d+)/.exec(prompt)![1]) % 4]!;
      const wrong = right === 'A' ? 'B' : 'A';
      const heard = prompt.includes('hard') ? sample === 0 : sample < 2;
      return { text: `So.\nThe answer is: ${heard ? right : wrong}` };
    }),
    describe: async () => subject,
  };
  const files = [{ path: 'own.jsonl', bytes: 1, sha256 }];
  await evaluate(target, { ...options, ...more, set: { ...setOf(items), files }, out });
  return readEvaluation(out);
}

const hardFrom = (from: number, count: number): Item[] =>
  itemsOf(count).map((item, i) =>
    i < from ? item : { ...item, question: item.question.replace('Which', 'Which hard') },
  );
const total = (counts: readonly number[]) => counts.reduce((a, b) => a + b, 0);

describe('a calibration', () => {
  test('counts the votes of right answers, half to calibrate and half to measure, and says what it was made with', async () => {
    const calibration = await calibrationOf(await stored(hardFrom(20, 30)), 'own.jsonl');
    expect(readCalibration(JSON.parse(JSON.stringify(calibration)))).toEqual(calibration);
    expect(calibration).toMatchObject({
      model: { sha256 },
      questions: { name: 'own.jsonl' },
      terms: {
        mode: 'sc-cot',
        protocol: 'strict',
        format: 'raw',
        samples: 3,
        temperature: 0.8,
        prompt: { task: 'mcq' },
      },
    });
    const [{ kind, options: count, calibrated, measured }] = calibration.groups as [
      (typeof calibration.groups)[number],
    ];
    expect([kind, count, total(calibrated), total(measured.right)]).toEqual(['choice', 4, 15, 15]);
    expect(calibrated.map((n, votes) => n + measured.right[votes]!)).toEqual([0, 10, 20, 0]);
    expect(measured.first).toEqual([0, 0, 15, 0]);
    expect(measured.second).toEqual([0, 15, 0, 0]);
    expect(measured.answers).toEqual([30, 15, 15, 0]);
    expect(calibrationInWords(calibration)).toMatch(
      /4 options: calibrated on 15 questions, measured on 15 others\n {2}for 80\.0 %: answers with 1 of 3/,
    );
  });

  test('leaves out what has no right answer, and takes repeated questions once', async () => {
    const items = itemsOf(12).map((item, i) => ({
      ...item,
      ...(i < 4 && { cluster: 'one' }),
      ...(i === 11 && { gold: undefined as never }),
    }));
    const calibration = await calibrationOf(
      await stored(items.map(({ gold, ...item }) => (gold === undefined ? item : { ...item, gold }))),
      'x',
    );
    const [group] = calibration.groups;
    expect(total(group!.calibrated) + total(group!.measured.right)).toBe(8);
  });

  test('takes the odd question for the half that calibrates, and none that the model was not made for', async () => {
    const evaluation = await stored(itemsOf(7));
    const halves = async (of: typeof evaluation) => {
      const [group] = (await calibrationOf(of, 'x')).groups;
      return [total(group!.calibrated), total(group!.measured.right)];
    };
    expect(await halves(evaluation)).toEqual([4, 3]);
    const outside = async function* () {
      for await (const row of evaluation.rows()) yield row.item === 'item-0' ? { ...row, outside: true } : row;
    };
    expect(await halves({ ...evaluation, rows: outside })).toEqual([3, 3]);
  });

  test('tells questions with other numbers of options apart', async () => {
    const items = itemsOf(8).map((item, i) =>
      i % 2 ? item : { ...item, options: ['first', 'second', 'third'], gold: 0 },
    );
    const { groups } = await calibrationOf(await stored(items), 'x');
    expect(groups.map(({ options: count }) => count)).toEqual([3, 4]);
  });

  test('is of the run with the option to abstain, where there is one', async () => {
    const calibration = await calibrationOf(await stored(itemsOf(6), { abstainOption: true }), 'x');
    expect(calibration.terms.prompt).toEqual({ task: 'mcq', abstainOption: true });
  });

  test.each<[RunOptions, Facts, RegExp]>([
    [{ modes: ['cot'] }, facts, /one run of mode sc-cot with at least two samples, got 0/],
    [{ samples: 1 }, facts, /one run of mode sc-cot/],
    [{ stop: 'exact' }, facts, /votes that run to their end/],
    [{ weighting: 'cisc' }, facts, /samples that count alike/],
    [{}, facts.slice(0, 1), /a model whose file is here/],
    [{}, [...facts, { name: 'engine', value: 'cache f16, lora a.gguf=1' }], /a model without adapters/],
  ])('is refused of %j', async (more, subject, message) => {
    const evaluation = await stored(itemsOf(4), more, subject);
    await expect(calibrationOf(evaluation, 'x')).rejects.toThrow(message);
  });

  test('needs two questions with a known right answer', async () => {
    const evaluation = await stored(itemsOf(3).map(({ gold: _, ...item }) => item));
    await expect(calibrationOf(evaluation, 'x')).rejects.toMatchObject({ code: 'ERR_INPUT' });
  });
});
