import { mkdtempSync, rmSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { sealed } from '../../src/check/seal.js';
import { openPanelFolder, panelIn } from '../../src/evaluate/panel/folder.js';
import { panelOutcomes } from '../../src/evaluate/panel/outcomes.js';
import { panelReportOf } from '../../src/evaluate/panel/report.js';
import { measure } from '../../src/evaluate/score/measure.js';
import type { Outcome } from '../../src/evaluate/score/outcome.js';
import { openEvaluation } from '../../src/evaluate/storage/evaluation.js';
import { collected, runOf, storedOf } from './run/items.js';

const folder = mkdtempSync(join(tmpdir(), 'meditron-panel-eval-'));
afterAll(() => rmSync(folder, { recursive: true }));

const outcome = (id: string, answer: string | undefined, rest: Partial<Outcome> = {}): Outcome => ({
  id,
  gold: 'A',
  votes: [],
  ...(answer !== undefined && { answer }),
  correct: answer === 'A',
  ms: 10,
  promptTokens: 5,
  samples: [{ tokens: 7, ...(answer !== undefined && { answer }) }],
  ...rest,
});
const vote = (id: string, answer: string, decision: string) => outcome(id, answer, { decision });

test('a panel answers as its rule says, question by question, and as surely as its families agree', () => {
  const members = [
    {
      family: 'p',
      outcomes: [vote('1', 'A', 'agree'), vote('2', 'A', 'agree'), vote('3', 'A', 'agree'), vote('5', 'A', 'agree')],
    },
    {
      family: 'q',
      outcomes: [vote('3', 'C', 'split'), vote('2', 'B', 'agree'), vote('1', 'A', 'agree'), vote('6', 'A', 'agree')],
    },
    {
      family: 'r',
      outcomes: [vote('1', 'B', 'split'), vote('2', 'B', 'agree'), vote('3', 'A', 'abstain'), vote('4', 'A', 'agree')],
    },
  ];
  const found = panelOutcomes(members);
  expect(
    found.map(({ id, answer, decision, confidence, correct }) => [id, answer, decision, confidence, correct]),
  ).toEqual([
    ['1', 'A', 'agree', 2 / 3, true],
    ['2', 'B', 'split', 2 / 3, false],
    ['3', 'A', 'abstain', 1 / 3, true],
  ]);
  const { accuracy, confidence, decisions, riskCoverage, samplesPerQuestion, newTokensPerQuestion } = measure(found);
  expect(accuracy).toMatchObject({ n: 3, correct: 2, answered: 3 });
  expect({ confidence, decisions }).toEqual({
    confidence: 'family agreement',
    decisions: { agree: 1, split: 1, abstain: 1 },
  });
  expect(riskCoverage!.attainable).toEqual([
    { confidence: 2 / 3, answered: 2, wrong: 1 },
    { confidence: 1 / 3, answered: 3, wrong: 1 },
  ]);
  expect([samplesPerQuestion, newTokensPerQuestion]).toEqual([3, 21]);
});

test('a model that is asked once decides by its answer, one that was not made for the question by none', () => {
  const decided = (first: Outcome, second: Outcome) =>
    panelOutcomes([
      { family: 'p', outcomes: [first] },
      { family: 'q', outcomes: [second] },
    ])[0]!.verdict;
  expect(decided(outcome('1', 'B'), outcome('1', 'B'))).toMatchObject({ decision: 'agree', answer: 'B' });
  expect(decided(outcome('1', 'B'), outcome('1', 'B', { outside: true }))).toMatchObject({ decided: 1, heard: 2 });
  expect(decided(outcome('1', 'B'), outcome('1', undefined))).toMatchObject({ decided: 1, heard: 2 });
  expect(decided(outcome('1', 'B'), outcome('1', undefined, { error: 'too long' }))).toMatchObject({
    decided: 1,
    heard: 1,
  });
});

test('two answers of equally many families are none: the question counts as not answered', () => {
  const [found] = panelOutcomes([
    { family: 'p', outcomes: [outcome('1', 'A')] },
    { family: 'q', outcomes: [outcome('1', 'B')] },
  ]);
  expect(found).toMatchObject({ decision: 'split', tie: true, correct: false });
  expect(found).not.toHaveProperty('answer');
  expect(measure([found!]).accuracy).toMatchObject({ correct: 0, answered: 0 });
});

test('a family of several models that say the same counts as one of them', () => {
  const answers = fc.array(fc.constantFrom('A', 'B', undefined), { minLength: 1, maxLength: 30 });
  fc.assert(
    fc.property(answers, answers, (one, other) => {
      const own = (given: typeof one) => given.map((answer, i) => outcome(`${i}`, answer));
      const [p, q] = [own(one), own(other)];
      const two = panelOutcomes([
        { family: 'p', outcomes: p },
        { family: 'q', outcomes: q },
      ]);
      const three = panelOutcomes([
        { family: 'p', outcomes: p },
        { family: 'q', outcomes: q },
        { family: 'p', outcomes: p },
      ]);
      const said = (found: typeof two) =>
        found.map(({ id, answer, decision, confidence }) => ({ id, answer, decision, confidence }));
      expect(said(three)).toEqual(said(two));
    }),
  );
});

test('a folder of a panel is gone on with by the same panel, and read back as it was written', async () => {
  const dir = join(folder, 'panel');
  const members = [
    { name: 'a', family: 'p' },
    { name: 'b', family: 'q' },
  ];
  await openPanelFolder(dir, members, false);
  expect(await panelIn(dir)).toEqual(members);
  await openPanelFolder(dir, members, true);
  await expect(openPanelFolder(dir, members, false)).rejects.toMatchObject({ code: 'ERR_OUTPUT' });
  await expect(openPanelFolder(dir, [...members].reverse(), true)).rejects.toThrow(
    'holds the results of another panel: a (p), b (q) there, b (q), a (p) now',
  );
  const path = join(dir, 'panel.json');
  const header = JSON.parse(await readFile(path, 'utf8'));
  await writeFile(path, JSON.stringify({ ...header, members: [...members].reverse() }));
  await expect(panelIn(dir)).rejects.toThrow('was changed');
  await writeFile(path, JSON.stringify(sealed({ ...header, members: [{ name: '../x', family: 'p' }, members[0]] })));
  await expect(panelIn(dir)).rejects.toThrow('members.0.name');
  expect(await panelIn(folder)).toBeUndefined();
});

/** The results of a model that gives these answers to questions whose right one is A. */
async function evaluated(dir: string, answers: string): Promise<void> {
  const run = storedOf(runOf('cot', 1));
  const results = await openEvaluation(
    dir,
    {
      ...{ kind: 'meditron-evaluation', version: 1, task: 'file', title: 'Own questions, x', partition: 'test' },
      ...{ files: [], questions: answers.length, subject: [], model: 'none', runs: [run], notes: ['seen'] },
    },
    { resume: false },
  );
  for (const [i, answer] of [...answers].entries())
    await results.append({
      ...{ id: `${run.key}/${i}`, run: run.key, item: `${i}`, kind: 'choice', question: `Question ${i}?` },
      ...{ options: ['x', 'y', 'z'], gold: 'A', planned: 1, ms: 2, latencyMs: 1, parallel: 1 },
      samples: [
        {
          ...{ index: 0, seed: 1, text: `The answer is: ${answer}`, finish: 'end', tokens: 5, logprob: -1 },
          ...{ answer, rule: 'cue', forced: false },
        },
      ],
    });
  await results.close();
}

test('the report has the panel first, then its models, each paired with it, and how often it was right by what it decided', async () => {
  const dir = join(folder, 'report');
  const members = ['p', 'q', 'r'].map(family => ({ name: `model-${family}`, family }));
  await openPanelFolder(dir, members, false);
  const given = ['AAABA', 'AABBC', 'ABABB'];
  for (const [i, { name }] of members.entries()) await evaluated(join(dir, name), given[i]!);

  const { title, notes, runs, comparisons, rows } = await panelReportOf(dir, members);
  expect(title).toBe('Panel of model-p, model-q, model-r: Own questions');
  expect(notes).toEqual(members.map(({ name }) => `${name}: seen`));
  expect(runs.map(({ name, metrics }) => [name, metrics.accuracy!.correct, metrics.accuracy!.n])).toEqual([
    ['panel of 3: CoT', 3, 5],
    ['CoT (model-p)', 4, 5],
    ['CoT (model-q)', 2, 5],
    ['CoT (model-r)', 2, 5],
  ]);
  expect(Object.fromEntries(runs[0]!.facts.map(({ name, value }) => [name, value]))).toMatchObject({
    models: 'model-p (family p), model-q (family q), model-r (family r)',
    'right where it agrees': expect.stringMatching(/^1 of 2 .*interval/),
    'right where families differ': expect.stringMatching(/^2 of 3 .*interval/),
    'wrong where 3 of 3 families agree, or more': expect.stringMatching(/^1 of 2 .*that is 2 of 5 /),
    'wrong where 2 of 3 families agree, or more': expect.stringMatching(/^1 of 4 .*that is 4 of 5 /),
  });
  expect(comparisons.map(({ n }) => n)).toEqual([5, 5, 5]);
  const listed = await collected(rows());
  expect(listed.map(({ run }) => run)).toEqual([0, 1, 2, 3].flatMap(run => [...'AAABA'].map(() => run)));
  expect(listed[1]).toMatchObject({ id: '1', reason: 'families_differ', answer: 'A' });
  expect(listed[1]!.samples!.map(({ text }) => text)).toEqual(['p: A', 'q: A', 'r: B']);

  await expect(panelReportOf(folder, [{ name: 'none', family: 'p' }])).rejects.toMatchObject({ code: 'ERR_INPUT' });
});
