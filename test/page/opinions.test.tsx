import { test } from 'vitest';
import { Opinions } from '../../page/src/ask/opinions.js';
import { ask } from '../../src/ask/ask.js';
import type { Answer } from '../../src/ask/types.js';
import { concludePanel } from '../../src/panel/conclude.js';
import type { Question } from '../../src/prompt/question/question.js';
import { FakeEngine, says } from '../ask/fake.js';
import { inOrder, text } from './render.js';

const question: Question = { kind: 'choice', question: 'Which?', options: ['Warfarin', 'Apixaban', 'Aspirin'] };

/** What a panel of models, one a family, is shown as: its words line by line. */
async function shown(...scripts: readonly string[]): Promise<string> {
  const names = scripts.map((_, i) => `model-${i}`);
  const answers = await Promise.all(
    scripts.map(
      async (script): Promise<Answer> =>
        ask(new FakeEngine(says(script)), question, { format: 'raw', hash: false, stop: 'none' }),
    ),
  );
  const spoken = names.map((name, i) => ({ name, family: `family-${i}`, answer: answers[i]! }));
  const panel = { ...concludePanel(spoken, null), members: names.map(name => ({ name })), evidence: { created: '' } };
  const runs = names.map((name, i) => ({
    ...{ id: name, isSkipped: { value: false }, hasBegun: { value: true }, problem: { value: null } },
    ...{ answer: { value: answers[i] }, progress: { value: { model: name, question } }, request: undefined },
  }));
  const measured = [{ title: 'MedQA', accuracy: { correct: 7, n: 12 } }];
  const machine = { model: (name: string) => ({ name, family: { name: name.replace('model', 'family') }, measured }) };
  const store = { runs: { value: runs }, panel: { value: panel }, panelProblem: { value: null } };
  return text(<Opinions store={store as never} machine={machine as never} />);
}

test('accuracy, each model’s answer with its own agreement, families, the dissent with its reason, the decision with its rule', async () => {
  inOrder(
    await shown('BBBBA', 'BBBBB'),
    ...['7 / 12', 'MedQA', 'B. Apixaban', '4 of 5 chains say so', 'B. Apixaban', '5 of 5 chains say so'],
    ...['Families', 'family-0', 'family-1', 'For B. Apixaban', 'Families family-0 and family-1'],
    ...['Against it, for A. Warfarin', 'A minority of the chains of model-0', 'model-0, chain 5', 'The answer is: A'],
    ...['B. Apixaban', '2 of 2 families say so.', 'count once, as a family'],
  );
});

test('families that differ are a split, and one that decides alone carries nothing', async () => {
  inOrder(await shown('BBBBB', 'AAAAA'), 'For B. Apixaban', 'For A. Warfarin', 'The families do not agree');
  inOrder(await shown('BBBBB', 'AABBC'), ...['no steady answer', 'No answer to rely on', 'Fewer than 2 families']);
});
