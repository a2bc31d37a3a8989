import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ask } from '../../../src/ask/ask.js';
import { compareEvaluations, reportJson, reportOf } from '../../../src/evaluate/report/report.js';
import type { Run } from '../../../src/evaluate/run/runs.js';
import { readRow } from '../../../src/evaluate/score/read.js';
import type { StoredEvaluation } from '../../../src/evaluate/storage/evaluation.js';
import { answeredRow, type ResultRow } from '../../../src/evaluate/storage/rows.js';
import { questionOf } from '../../../src/evaluate/tasks/question.js';
import type { Item } from '../../../src/evaluate/tasks/task.js';
import { FakeEngine } from '../../ask/fake.js';
import { collected, itemsOf, runOf, storedOf } from '../run/items.js';

const spent = { ms: 10, latencyMs: 20, parallel: 2 };

/** Rows as a run writes them, from the texts of each question's samples. */
async function rowsFrom(run: Run, items: readonly Item[], texts: readonly (readonly string[])[]): Promise<ResultRow[]> {
  const rows: ResultRow[] = [];
  for (const [i, item] of items.entries()) {
    let next = 0;
    const engine = new FakeEngine(() => ({ text: texts[i]![next++]! }), {
      score: answer => ({ A: -1, B: -2, C: -0.5 })[answer.trim()] ?? -9,
    });
    rows.push(
      answeredRow(run.key, item, await ask(engine, questionOf(item), { ...run.options, item: item.id }), spent),
    );
  }
  return rows;
}

const evaluationOf = (runs: readonly Run[], rows: readonly ResultRow[], dir = 'results'): StoredEvaluation => ({
  dir,
  created: '2024-01-01T00:00:00.000Z',
  incidents: [],
  async *rows() {
    yield* rows;
  },
  config: {
    ...{
      kind: 'meditron-evaluation',
      version: 1,
      task: 'file',
      title: 'Test',
      partition: 'test',
      files: [],
      questions: rows.length,
    },
    ...{ subject: [], model: 'tiny', runs: runs.map(storedOf), notes: [] },
  },
});

const says = (answer: string) => (answer === '-' ? 'I cannot say' : `So.\nThe answer is: ${answer}`);

describe('twelve questions with five votes each', () => {
  // Votes for A, B, C, D and the right answer; the answer is always A, in the seventh by a tie.
  const votes = [
    '5000A',
    '5000A',
    '4100A',
    '4010A',
    '3200B',
    '3110A',
    '2210B',
    '5000B',
    '4100A',
    '3200A',
    '2111D',
    '3101A',
  ];
  const items = itemsOf(12).map((item, i) => ({ ...item, gold: 'ABCD'.indexOf(votes[i]![4]!) }));
  const run = runOf('sc-cot', 5);
  const texts = votes.map(v => [...'ABCD'].flatMap((answer, j) => Array<string>(Number(v[j])).fill(says(answer))));
  const evaluation = rowsFrom(run, items, texts).then(rows => evaluationOf([run], rows));

  test('give the accuracy, calibration and discrimination that were reckoned by hand', async () => {
    const { runs } = await reportOf(await evaluation);
    const { metrics } = runs[0]!;
    expect(metrics.accuracy).toMatchObject({ n: 12, correct: 8, answered: 12 });
    expect(metrics.accuracy!.wilson).toEqual({ low: expect.closeTo(0.390622, 6), high: expect.closeTo(0.86188, 6) });
    expect(metrics.calibration!.ece).toBeCloseTo(0.25, 9);
    expect(metrics.auroc).toBeCloseTo(0.734375, 9);
    expect(metrics.brierTop).toBeCloseTo(0.19, 9);
    expect(metrics.riskCoverage!.aurc).toBeCloseTo(0.248604, 6);
    expect(runs[0]!.pool.brier).toBeCloseTo(0.433333, 6);
    expect(metrics.ties).toEqual({ count: 1, of: 12 });
    expect(metrics.newTokensPerQuestion).toBeGreaterThan(0);
    expect(runs[0]!.pool.totalMs).toBe(120);
  });

  test('the samples of a question count once in the interval of a single sample', async () => {
    const { singleSample } = (await reportOf(await evaluation)).runs[0]!.pool;
    expect(singleSample).toMatchObject({ n: 60, answered: 60, distinct: 12 });
    // The bounds are where the share is 1.96 standard errors of twelve answers away, not of sixty.
    for (const bound of Object.values(singleSample!.wilson)) {
      const error = Math.sqrt((bound * (1 - bound)) / 12);
      expect(Math.abs(singleSample!.accuracy - bound) / error).toBeCloseTo(1.959964, 5);
    }
  });

  test('a vote over the first samples is a run with fewer samples', async () => {
    const { runs } = await reportOf(await evaluation, { samples: 3 });
    expect(runs[0]!.name).toBe('SC-CoT, 3 samples');
    expect(runs[0]!.outcomes.map(row => row.samples.length)).toEqual(Array(12).fill(3));
    const whole = (await reportOf(await evaluation)).runs[0]!.pool.bySamples!;
    expect(whole[2]!.correct).toBe(runs[0]!.metrics.accuracy!.correct);
    expect(whole.map(point => point.samples)).toEqual([1, 2, 3, 4, 5]);
  });

  test('one pool serves every stopping rule, and exact never changes a winner', async () => {
    const full = (await reportOf(await evaluation)).runs[0]!;
    const exact = (await reportOf(await evaluation, { stop: { rule: 'exact' } })).runs[0]!;
    expect(exact.outcomes.map(row => row.answer)).toEqual(full.outcomes.map(row => row.answer));
    expect(exact.pool.earlyStops.count).toBeGreaterThan(0);
    expect(full.pool.earlyStops).toEqual({ count: 0, of: 12 });
    expect(full.pool.stopRules!.exact).toMatchObject({ otherWinner: { count: 0, of: 12 }, accuracy: { correct: 8 } });
    expect(full.pool.stopRules!.exact!.samples).toBeLessThan(5);
  });

  test('a vote is set beside its first sample, and beside another run of the same questions', async () => {
    const report = await reportOf(await evaluation);
    expect(report.comparisons.map(pair => [pair.first, pair.second, pair.n])).toEqual([
      ['SC-CoT, 5 samples', 'its first sample alone', 12],
    ]);
    const other = runOf('cot', 1);
    const greedy = await rowsFrom(
      other,
      items,
      items.map(() => [says('B')]),
    );
    const both = await compareEvaluations(await evaluation, evaluationOf([other], greedy, 'greedy'));
    // Only the vote is right where A is (8); only the chain where B is (3).
    expect(both.comparisons).toMatchObject([
      { onlyFirst: 8, onlySecond: 3, n: 12, difference: expect.closeTo(5 / 12, 9) },
    ]);
    expect(both.comparisons[0]!.first).toBe('SC-CoT, 5 samples (results)');
  });

  test('the JSON holds the figures and not the questions, and no number that JSON cannot hold', async () => {
    const text = JSON.stringify(reportJson(await reportOf(await evaluation)));
    expect(text).not.toContain('Which option');
    expect(JSON.parse(text)).toMatchObject({
      runs: [{ mode: 'sc-cot', samples: 5, metrics: { accuracy: { n: 12, correct: 8 } } }],
    });
  });
});

describe('reading stored samples again', () => {
  const item = itemsOf(1)[0]!;
  const texts = fc.array(fc.constantFrom(says('A'), says('B'), says('C'), 'Answer: D', 'I cannot say', 'Because'), {
    minLength: 5,
    maxLength: 5,
  });

  test.each(['strict', 'paper', 'authors-code'] as const)('under %s says what ask() said', async protocol => {
    await fc.assert(
      fc.asyncProperty(texts, async said => {
        const run = runOf('sc-cot', 5, { protocol, samples: 5, reask: undefined });
        let next = 0;
        const engine = new FakeEngine(() => ({ text: said[next++]! }), {
          score: answer => (answer.trim() === 'C' ? -0.5 : -2),
        });
        const answer = await ask(engine, questionOf(item), run.options);
        const read = readRow(answeredRow(run.key, item, answer, spent), storedOf(run));
        expect(read.answer ?? null).toBe(answer.answer);
        expect(read.decision).toBe(answer.decision);
        expect(read.samples.map(sample => sample.answer ?? null)).toEqual(answer.samples.map(sample => sample.answer));
        expect(read.tie).toBe(answer.vote!.tie);
      }),
      { numRuns: 40 },
    );
  });

  test('another parser reads the same texts otherwise, and nothing is asked again', async () => {
    // "Based" is B to the authors' parser; strict sees no answer and was told C when it asked again.
    const run = runOf('sc-cot', 3, { reask: true, samples: 3 });
    const [row] = await rowsFrom(run, [item], [['Based on it', 'Because of it', says('A')]]);
    const strict = readRow(row!, storedOf(run));
    expect([strict.answer, strict.forced, strict.samples.map(s => s.answer)]).toEqual(['C', true, ['C', 'C', 'A']]);
    const authors = readRow(row!, storedOf(run), { protocol: 'authors-code' });
    expect([authors.answer, authors.forced, authors.protocol]).toEqual(['B', undefined, 'authors-code']);
    const paper = readRow(row!, storedOf(run), { protocol: 'paper' });
    expect([paper.answer, paper.samples.map(s => s.answer)]).toEqual(['A', [undefined, undefined, 'A']]);
  });

  test('weights can be put on stored samples', async () => {
    const run = runOf('sc-cot', 3);
    const rows = await rowsFrom(run, [item], [[says('A'), says('B'), says('B')]]);
    const sure = rows.map(row => ({
      ...row,
      samples: row.samples.map(s => ({ ...s, logprob: s.answer === 'A' ? -0.1 : -900 })),
    }));
    expect(readRow(sure[0]!, storedOf(run)).answer).toBe('B');
    expect(readRow(sure[0]!, storedOf(run), { weighting: 'probability' }).answer).toBe('A');
  });

  test('under strict options with the same text are one answer, whichever of their letters is the right one', async () => {
    const twins = { ...item, options: ['5', '1', '5', '3'], gold: 0 };
    const run = runOf('cot', 1);
    const [third] = await rowsFrom(run, [twins], [[says('C')]]);
    expect(readRow(third!, storedOf(run)).correct).toBe(true);
    expect(readRow(third!, storedOf(run), { protocol: 'authors-code' }).correct).toBe(false);
    const [second] = await rowsFrom(run, [twins], [[says('B')]]);
    expect(readRow(second!, storedOf(run)).correct).toBe(false);
  });

  test('more samples than were drawn are refused', async () => {
    const run = runOf('sc-cot', 3);
    const [row] = await rowsFrom(run, [item], [[says('A'), says('B'), says('B')]]);
    expect(() => readRow(row!, storedOf(run), { samples: 5 })).toThrow(/at most 3, as were drawn, got 5/);
  });

  test('answers that were compared cannot be read by a parser, and the report says so', async () => {
    const runs = [runOf('top-token', 1), runOf('cot', 1)];
    const rows = [...(await rowsFrom(runs[0]!, [item], [[]])), ...(await rowsFrom(runs[1]!, [item], [[says('A')]]))];
    const report = await reportOf(evaluationOf(runs, rows), { protocol: 'authors-code' });
    expect(report.runs.map(run => run.name)).toEqual(['CoT, read as authors-code']);
    expect(report.notes.join()).toMatch(/top-token was asked under strict/);
  });

  test('several draws of demonstrations are told as the paper tells them', async () => {
    const items = itemsOf(4);
    const runs = [1234, 432].map(seed => ({ ...runOf('cot', 1), key: `cot@${seed}` }));
    const said = [
      ['A', 'B', 'C', 'D'],
      ['A', 'B', 'C', 'A'],
    ]; // 4 and 3 of 4 right
    const rows = await Promise.all(
      runs.map((run, i) =>
        rowsFrom(
          run,
          items,
          said[i]!.map(answer => [says(answer)]),
        ),
      ),
    );
    const evaluation = evaluationOf(runs, rows.flat());
    const drawn = evaluation.config.runs.map((run, i) => ({
      ...run,
      demonstrations: { seed: [1234, 432][i]!, note: '' },
    }));
    const report = await reportOf({ ...evaluation, config: { ...evaluation.config, runs: drawn } });
    expect(report.runs.map(run => run.name)).toEqual(['CoT, demonstrations 1234', 'CoT, demonstrations 432']);
    expect(report.notes).toContain('cot: 87.5 ± 17.68 % (mean and standard deviation over 2 draws of demonstrations)');
  });

  test("beside the figure of a model that the paper measured stands the paper's, with its label", async () => {
    const run = runOf('cot', 1);
    const evaluation = evaluationOf([run], await rowsFrom(run, [item], [[says('A')]]));
    const config = { ...evaluation.config, task: 'medqa', model: 'MEDITRON-70B, base weights' } as const;
    expect((await reportOf({ ...evaluation, config })).runs[0]!.references).toEqual([
      expect.objectContaining({ accuracy: 61.5, reproducible: false, source: 'arXiv 2311.16079, Table 5' }),
    ]);
  });

  test('open questions have answers and no accuracy', async () => {
    const open: Item = { id: 'open', question: 'How is it taken?' };
    const run: Run = { ...runOf('free', 1), options: { mode: 'free', format: 'raw', hash: false } };
    const rows = await rowsFrom(run, [open], [['With water.']]);
    const report = await reportOf(evaluationOf([run], rows));
    const { metrics } = report.runs[0]!;
    expect(metrics.accuracy).toBeUndefined();
    expect(metrics.unparsed).toEqual({ count: 0, of: 0 });
    expect((await collected(report.rows())).map(row => row.samples[0]!.text)).toEqual(['With water.']);
  });
});
