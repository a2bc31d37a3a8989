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
    { numRuns: 250 },
  );
  expect(refused).toBeGreaterThan(20);
  expect(reported).toBeGreaterThan(20);
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
