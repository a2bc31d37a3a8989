import { mkdtempSync, rmSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { sealed } from '../../src/check/seal.js';
import { openPanelFolder, panelIn } from '../../src/evaluate/panel/folder.js';
import { panelOutcomes } from '../../src/evaluate/panel/outcomes.js';
import { measure } from '../../src/evaluate/score/measure.js';
import type { Outcome } from '../../src/evaluate/score/outcome.js';

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
