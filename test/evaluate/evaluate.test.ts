import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MeditronError } from '../../src/check/errors.js';
import { evaluate } from '../../src/evaluate/evaluate.js';
import { htmlReport } from '../../src/evaluate/report/html.js';
import { reportJson, reportOf } from '../../src/evaluate/report/report.js';
import { terminalReport } from '../../src/evaluate/report/terminal.js';
import type { EvaluationReport } from '../../src/evaluate/report/types.js';
import { readEvaluation } from '../../src/evaluate/storage/evaluation.js';
import type { Item } from '../../src/evaluate/tasks/task.js';
import { withUnanswerable } from '../../src/evaluate/tasks/unanswerable.js';
import { formatNames } from '../../src/prompt/format/format.js';
import { collected, emptyFolder, itemsOf, setOf, storedIn } from './run/items.js';
import { layout, scriptedTarget } from './run/scripted.js';

const yesNo: Item[] = [0, 1].map(i => ({ id: `b-${i}`, question: `Is it ${i}?`, context: ['It is.'], gold: 'yes' }));
const open: Item[] = [0, 1].map(i => ({ id: `o-${i}`, question: `How is it taken, ${i}?` }));
const sets = {
  choice: itemsOf(3),
  unlabelled: itemsOf(2).map(({ gold: _, ...item }) => item),
  mixed: itemsOf(3).map(({ gold, ...item }, i) => (i === 1 ? item : { ...item, gold: gold! })),
  boolean: yesNo,
  open,
};
const training = itemsOf(9).map(item => ({ ...item, id: `t-${item.id}`, question: `Another ${item.question}` }));

/** Everything that is made of a report, without which hours of computing would be for nothing. */
async function shown(report: EvaluationReport): Promise<void> {
  expect(terminalReport(report)).toContain(report.title);
  expect(JSON.parse(JSON.stringify(reportJson(report))).runs).toHaveLength(report.runs.length);
  expect((await collected(htmlReport(report))).join('')).toMatch(/<\/html>\n$/);
}

const maybe = <const T>(...values: readonly T[]) => fc.constantFrom(undefined, ...values);
const readings = fc.record({
  protocol: maybe('strict', 'paper', 'authors-code'),
  samples: maybe(1, 2, 3, 9),
  stop: maybe({ rule: 'none' }, { rule: 'exact' }, { rule: 'beta' }, { rule: 'esc', window: 2 }),
  weighting: maybe('none', 'probability', 'cisc'),
} as const);
const combinations = fc.record({
  set: fc.constantFrom(...(Object.keys(sets) as (keyof typeof sets)[])),
  modes: fc.option(fc.subarray(['top-token', 'cot', 'sc-cot', 'free'] as const), { nil: undefined }),
  protocol: maybe('strict', 'paper', 'authors-code'),
  samples: maybe(1, 2, 3),
  temperature: maybe(0, 0.5),
  topP: maybe(0.9),
  stop: maybe('none', 'exact', 'beta', 'esc'),
  weighting: maybe('none', 'probability', 'cisc'),
  format: fc.constantFrom('raw', 'few-shot', 'one-shot', 'zero-shot', 'chatml', 'alpaca', 'llama-2', 'medical'),
  shots: maybe(0, 2, 5),
  demoSeeds: maybe([1], [1, 2]),
  train: fc.boolean(),
  limit: maybe(1, 2),
  abstainOption: fc.constantFrom(...Array(5).fill(undefined), true),
  unanswerable: fc.constantFrom(...Array(5).fill(undefined), 0.5, 1),
  reading: readings,
} as const);

test('every combination of options is refused before the first question, or ends in a report', async () => {
  let refused = 0;
  let reported = 0;
  await fc.assert(
    fc.asyncProperty(combinations, async ({ set, train, reading, ...options }) => {
      const target = scriptedTarget();
      const out = emptyFolder();
      const questions = { set: setOf(sets[set]), ...(train && { train: async () => setOf(training) }) };
      const report = await evaluate(target, { ...questions, ...options, out }).catch((error: unknown) => {
        expect(error).toBeInstanceOf(MeditronError);
        expect(target.asked()).toBe(0);
        return undefined;
      });
      if (!report) {
        refused++;
        return;
      }
      reported++;
      await shown(report);
      expect(report.runs.flatMap(({ outcomes }) => outcomes.flatMap(({ error }) => error ?? []))).toEqual([]);
      // What is stored can be read again in every way, or it is said why not.
      const again = await reportOf(await readEvaluation(out), reading).catch((error: unknown) => {
        expect(error).toMatchObject({ code: 'ERR_OPTION' });
        return undefined;
      });
      if (again) await shown(again);
    }),
    { numRuns: 400 },
  );
  expect(refused).toBeGreaterThan(20);
  expect(reported).toBeGreaterThan(20);
});

test('an answer alone is read again as it was when it was given, whatever the format writes around its letter', async () => {
  let read = 0;
  for (const protocol of ['paper', 'authors-code'] as const) {
    for (const format of formatNames.filter(name => name !== 'jinja')) {
      const out = emptyFolder();
      const target = scriptedTarget((_, prompt) => ({ text: /^\(B\) /m.test(prompt) ? '(B)' : 'B' }));
      const options = { modes: ['top-token'], protocol, format, set: setOf(itemsOf(3)), out } as const;
      const report = await evaluate(target, options).catch((error: unknown) => {
        expect(error).toBeInstanceOf(MeditronError); // a format that does not go with the protocol
      });
      if (!report) continue;
      const given = (await storedIn(out)).rows.map(row => row.samples[0]!.answer);
      expect(given).toEqual(['B', 'B', 'B']);
      expect(
        report.runs[0]!.outcomes.map(({ answer }) => answer),
        `${format}, ${protocol}`,
      ).toEqual(given);
      read++;
    }
  }
  expect(read).toBeGreaterThan(8);
});

describe('"I cannot tell"', () => {
  /** Answers what stands beside the number of the question, and where that is not on offer, that it cannot tell, if it may. */
  const knowing = (_: number, prompt: string) => {
    const right = ['first', 'second', 'third', 'fourth'][Number(/number (\d+)/.exec(prompt)![1]) % 4]!;
    const letterOf = (text: string) => new RegExp(`^([A-E])\\. ${text}$`, 'm').exec(prompt)?.[1];
    const letter = letterOf(right) ?? letterOf('I cannot tell') ?? 'A';
    return { text: `So.\nThe answer is: ${letter}` };
  };
  const options = { modes: ['cot', 'sc-cot', 'top-token'], samples: 3, format: 'raw', abstainOption: true } as const;

  test('is measured beside the run without it, on questions with a right option and without', async () => {
    const out = emptyFolder();
    const target = scriptedTarget(knowing);
    const report = await evaluate(target, { ...options, set: setOf(itemsOf(60)), out, unanswerable: 0.4, seed: 3 });
    expect(report.runs.map(({ run }) => run.key)).toEqual([
      'cot',
      'cot+abstain',
      'sc-cot',
      'sc-cot+abstain',
      'top-token',
      'top-token+abstain',
    ]);
    const { rows } = await storedIn(out);
    const without = rows.filter(row => row.run === 'cot' && row.unanswerable);
    expect(without.length).toBeGreaterThan(10);
    expect(without.length).toBeLessThan(40);
    for (const row of without) {
      expect(row.gold).toBeUndefined();
      const right = ['first', 'second', 'third', 'fourth'][Number(row.item.slice(5)) % 4];
      expect(row.options).toEqual(['first', 'second', 'third', 'fourth'].filter(text => text !== right));
    }
    const [n, m] = [60 - without.length, without.length];
    for (const key of ['cot', 'sc-cot']) {
      const of = (which: string) => report.runs.find(({ run }) => run.key === which)!;
      const all = { questions: n, answered: n, correct: n, cannotTell: 0 };
      const agreed = key === 'cot' ? 0 : m;
      const { abstention, metrics } = of(key);
      const wrong = { questions: m, answered: m, agreed, cannotTell: 0 };
      expect(abstention).toEqual({ offered: false, answerable: all, unanswerable: wrong });
      const told = { questions: m, answered: 0, agreed: 0, cannotTell: m };
      expect(of(`${key}+abstain`).abstention).toEqual({ offered: true, answerable: all, unanswerable: told });
      expect(metrics.accuracy).toMatchObject({ n, correct: n });
    }
    await shown(report);
    const text = terminalReport(report, { width: 300 });
    expect(text).toContain('CoT, "I cannot tell" offered');
    expect(text).toContain(`${m} of ${m}, 100.0 %`);
  });

  test('what is stored reads the same again, and not under a protocol that does not know it', async () => {
    const out = emptyFolder();
    const first = await evaluate(scriptedTarget(knowing), {
      ...options,
      set: setOf(itemsOf(12)),
      out,
      unanswerable: 0.5,
    });
    const stored = await readEvaluation(out);
    expect(JSON.stringify(reportJson(await reportOf(stored)))).toBe(JSON.stringify(reportJson(first)));
    const { runs, notes } = await reportOf(stored, { protocol: 'paper' });
    expect(runs.map(({ run }) => run.key)).toEqual(['cot', 'sc-cot']);
    expect(notes.join()).toMatch(/asked with a further option, which paper does not know/);
  });

  test('the same questions are made unanswerable whatever stands beside them, and another seed takes others', () => {
    const drawn = (count: number, seed: number) =>
      withUnanswerable(setOf(itemsOf(count)), { fraction: 0.5, seed }).items.flatMap(item =>
        item.unanswerable ? [item.id] : [],
      );
    const of = drawn(100, 1);
    expect(of.filter(id => Number(id.slice(5)) < 50)).toEqual(drawn(50, 1));
    expect(of).not.toEqual(drawn(100, 2));
    expect(withUnanswerable(setOf(itemsOf(8)), { fraction: 1, seed: 0 }).items.every(item => item.unanswerable)).toBe(
      true,
    );
  });

  test.each([
    [
      itemsOf(4).map(item => ({ ...item, options: ['first', 'second'], gold: 0 })),
      /No question can be made unanswerable/,
    ],
    [itemsOf(4).map(({ gold: _, ...item }) => item), /No question can be made unanswerable/],
    [yesNo, /No question can be made unanswerable/],
  ])('questions that cannot be made so are refused', async (items, message) => {
    const going = evaluate(scriptedTarget(), { set: setOf(items), out: emptyFolder(), format: 'raw', unanswerable: 1 });
    await expect(going).rejects.toThrow(message);
  });
});

test('weighted votes end in a report, without rules that count votes', async () => {
  const options = { set: setOf(itemsOf(4)), modes: ['sc-cot'], samples: 3, format: 'raw', weighting: 'cisc' } as const;
  const report = await evaluate(scriptedTarget(), { ...options, out: emptyFolder() });
  const [{ pool, facts }] = report.runs as [EvaluationReport['runs'][number]];
  expect(pool.stopRules).toBeUndefined();
  expect(pool.bySamples).toHaveLength(3);
  expect(facts).toContainEqual({ name: 'weights of the samples', value: 'cisc' });
});

test('what a reader of the figures has to know is told before the first question', async () => {
  const target = scriptedTarget();
  const told: [readonly string[], number][] = [];
  const set = { ...setOf(itemsOf(2)), notes: ['2 questions have no right answer and will not be scored'] };
  await evaluate(target, {
    ...{ set, out: emptyFolder(), modes: ['cot'], format: 'raw' },
    onPlan: notes => told.push([notes, target.asked()]),
  });
  expect(told).toEqual([[['2 questions have no right answer and will not be scored'], 0]]);
});

describe('a run that is resumed', () => {
  const options = { set: setOf(itemsOf(5)), modes: ['top-token', 'cot'], format: 'raw' } as const;

  test('is laid out as it was begun, whatever is left and whatever could be laid out now', async () => {
    const out = emptyFolder();
    const first = scriptedTarget();
    await evaluate(first, { ...options, out, limit: 2 });
    // From the whole set, not from what is asked for now.
    expect(first.planned.map(items => items.length)).toEqual([5, 5]);
    const second = scriptedTarget(undefined, () => ({ ...layout, contextSize: 256, threads: 8, sharedTokens: 77 }));
    await evaluate(second, { ...options, out, resume: true });
    expect(second.planned).toEqual([]);
    expect([...first.opened, ...second.opened]).toEqual(Array(4).fill(layout));
    const { rows, config } = await storedIn(out);
    expect(rows).toHaveLength(10);
    expect(config.runs.map(run => run.layout)).toEqual([layout, layout]);
  });

  test('with another number of questions in flight is refused by name', async () => {
    const out = emptyFolder();
    await evaluate(scriptedTarget(), { ...options, out, limit: 2 });
    const going = evaluate(scriptedTarget(), { ...options, out, resume: true, parallel: 3 });
    await expect(going).rejects.toMatchObject({
      code: 'ERR_OPTION',
      message: expect.stringMatching(/runs\.cot\.layout\.parallel: 1 there, 3 now/),
    });
    await evaluate(scriptedTarget(), { ...options, out, resume: true, parallel: 1 });
  });

  test('is said to repeat exactly only with one question at a time on this machine', async () => {
    const repeats = async (of: typeof layout | null) => {
      const report = await evaluate(
        scriptedTarget(undefined, () => of),
        { ...options, out: emptyFolder() },
      );
      return report.runs[0]!.facts.find(({ name }) => name === 'repeats')!.value;
    };
    expect(await repeats(layout)).toMatch(/^exactly/);
    expect(await repeats({ ...layout, parallel: 2 })).toMatch(/^up to floating point/);
    expect(await repeats(null)).toMatch(/^not known/);
  });
});
