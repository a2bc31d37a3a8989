import { expect, test } from 'vitest';
import { concludePanel, type Heard, type Spoken } from '../../src/panel/conclude.js';
import { mergeRankings } from '../../src/vote/count/ranking.js';

/** A model's answer: `decision` of its own vote, and what a minority of its chains says. */
function heard(answer: string | null, decision: Heard['decision'] = 'agree', minority?: string): Heard {
  const rationale = (of: string | null | undefined, text: string) =>
    of === null || of === undefined ? null : { answer: of, sample: 0, text };
  return {
    answer,
    decision,
    reason: null,
    ranking: null,
    rationale: rationale(answer, `for ${answer}`),
    dissent: rationale(minority, `rather ${minority}`),
  };
}

const spoken = (name: string, family: string, answer: Heard | null): Spoken => ({ name, family, answer });

test('agreement stands between families, and every other answer is beside it with its reason', () => {
  const { decision, answer, summary, support, dissent } = concludePanel(
    [
      spoken('a', 'p', heard('B', 'agree', 'D')),
      spoken('b', 'q', heard('B')),
      spoken('c', 'r', heard('C', 'split', 'B')),
    ],
    null,
  );
  expect({ decision, answer, summary }).toEqual({ decision: 'agree', answer: 'B', summary: '2 of 3 families' });
  expect(support).toEqual({
    answer: 'B',
    families: ['p', 'q'],
    members: ['a', 'b'],
    standing: 'decided',
    rationale: { member: 'a', sample: 0, text: 'for B' },
  });
  expect(dissent.map(({ answer: other, standing, members }) => [other, standing, members])).toEqual([
    ['C', 'undecided', ['c']],
    ['D', 'minority', ['a']],
  ]);
});

test('two families that differ stand side by side, and none is ahead', () => {
  const { decision, reason, answer, summary, support, dissent } = concludePanel(
    [spoken('a', 'p', heard('A')), spoken('b', 'q', heard('B'))],
    null,
  );
  expect({ decision, reason, answer, support }).toEqual({
    decision: 'split',
    reason: 'families_differ',
    answer: null,
    support: null,
  });
  expect(dissent.map(each => each.answer)).toEqual(['A', 'B']);
  expect(summary).toBe('2 of 2 families decided. The families differ.');
});

test('a model that was not made for the question was heard, and says nothing that counts', () => {
  const outside = { ...heard('A', 'abstain'), reason: 'out_of_scope' } as const;
  const { decision, families, dissent } = concludePanel(
    [spoken('a', 'p', outside), spoken('b', 'q', heard('B')), spoken('c', 'r', heard('B'))],
    null,
  );
  expect(decision).toBe('agree');
  expect(families[0]).toEqual({ family: 'p', members: [0], answer: null, standing: 'undecided' });
  expect(dissent.map(({ answer, standing }) => [answer, standing])).toEqual([['A', 'undecided']]);
});

test('a family that was not heard is told of, and the answers of more families stand before those of fewer', () => {
  const said = ['A', 'A', 'A', 'B', 'C', 'C'].map((answer, i) => spoken(`m${i}`, `f${i}`, heard(answer)));
  const { answer, summary, dissent } = concludePanel([...said, spoken('gone', 'g', null)], null);
  expect({ answer, summary }).toEqual({
    answer: 'A',
    summary: '3 of 6 families, 1 not heard. The families differ.',
  });
  expect(dissent.map(({ answer: other, families }) => [other, families.length])).toEqual([
    ['C', 2],
    ['B', 1],
  ]);
  const alone = concludePanel([spoken('a', 'p', heard('A')), spoken('b', 'q', null)], null);
  expect(alone.summary).toBe(
    '1 of 1 family, 1 not heard. Fewer than 2 families have an answer that they agree on with themselves.',
  );
});

test('where nothing is voted on there is no decision', () => {
  const text = heard(null, null);
  expect(concludePanel([spoken('a', 'p', text), spoken('b', 'q', text)], null)).toMatchObject({
    decision: null,
    reason: null,
    answer: null,
    dissent: [],
  });
});

test('lists are merged over families: one family has one voice, whoever and however many its models are', () => {
  const listed = (...items: string[]): Heard => ({
    ...heard(items[0]!),
    ranking: mergeRankings([{ index: 0, items }]),
  });
  const members = [
    spoken('a', 'p', listed('Pulmonary embolism (PE)', 'Pneumonia')),
    spoken('b', 'q', listed('PE', 'Heart failure')),
  ];
  const { decision, answer, ranking } = concludePanel(members, null);
  expect({ decision, answer }).toEqual({ decision: 'agree', answer: 'Pulmonary embolism (PE)' });
  expect(ranking!.items.map(({ name, named, of }) => [name, named, of])).toEqual([
    ['Pulmonary embolism (PE)', 2, 2],
    ['Pneumonia', 1, 2],
    ['Heart failure', 1, 2],
  ]);

  const outside = { ...listed('Angina'), decision: 'abstain', reason: 'out_of_scope' } as const;
  const withOne = concludePanel([...members, spoken('c', 'r', outside)], null);
  expect(withOne.ranking!.items.map(({ name }) => name)).not.toContain('Angina');

  const twice = concludePanel([...members, spoken('c', 'q', listed('heart failures', 'PE'))], null);
  expect(twice.ranking!.items.map(({ named, of }) => [named, of])).toEqual([
    [2, 2],
    [1, 2],
    [1, 2],
  ]);
  expect(twice.families[1]).toMatchObject({ family: 'q', standing: 'contradicts-itself', answer: null });
  expect(twice.decision).toBe('abstain');
});
