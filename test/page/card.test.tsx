import { describe, expect, test } from 'vitest';
import { AllChains, Counts, Voices } from '../../page/src/ask/card-parts.js';
import { headline, underHeadline } from '../../page/src/ask/headline.js';
import { Sheet } from '../../page/src/ask/sheet.js';
import { example } from '../../page/src/ask/store.js';
import { verdictOf, voicesOf } from '../../page/src/ask/verdict.js';
import { inOwnWords } from '../../page/src/ask/warnings.js';
import { catalogues, type Language, language, languages } from '../../page/src/words/words.js';
import { ask } from '../../src/ask/ask.js';
import type { AskOptions } from '../../src/ask/options.js';
import type { Answer } from '../../src/ask/types.js';
import { scopeOf } from '../../src/clinical/scope.js';
import { demonstration } from '../../src/models/known.js';
import type { Question } from '../../src/prompt/question/question.js';
import { FakeEngine, says } from '../ask/fake.js';
import { html, text } from './render.js';

const question: Question = {
  kind: 'choice',
  question: 'Which?',
  options: ['Warfarin', 'Apixaban', 'Aspirin', 'No treatment'],
};

/** What the library concludes of chains that answer so, `-` for none: as JSON, as the page gets it. */
async function answered(script: string, options: AskOptions = {}): Promise<Answer> {
  const answer = await ask(new FakeEngine(says(script)), question, { format: 'raw', hash: false, ...options });
  return JSON.parse(JSON.stringify(answer)) as Answer;
}

/** The card's words, from its headline to the voices. */
const shown = (answer: Answer) => [
  headline(answer, question),
  underHeadline(answer, question),
  ...text(<Counts answer={answer} question={question} />).split('\n'),
];

describe('a card begins with', () => {
  test('the answer, and how many say so', async () => {
    expect(shown(await answered('ABBBB', { stop: 'none' }))).toEqual([
      'B. Apixaban',
      '4 of 5 chains say so',
      '4 say B',
      '1 says A',
    ]);
  });

  test('all chains in words, never a percentage', async () => {
    expect(shown(await answered('BBBBB', { stop: 'none' }))).toEqual([
      'B. Apixaban',
      'all five chains say so',
      '5 say B',
    ]);
  });

  test('what was not needed, where a rule closed the vote', async () => {
    expect(shown(await answered('BBBBB', { width: 4 }))).toEqual([
      'B. Apixaban',
      '4 of 5 chains say so',
      '4 say B',
      '1 was not needed',
    ]);
  });

  test('the disagreement, where chains do not agree', async () => {
    const answer = await answered('BBBCC', { stop: 'none' });
    expect(verdictOf(answer)).toBe('split');
    expect(shown(answer).slice(0, 2)).toEqual([
      'The chains do not agree: 3 say B, 2 say C.',
      '4 of 5 have to agree before an answer is given.',
    ]);
  });

  test('the abstention and its reason, where too few named an answer', async () => {
    const answer = await answered('-B--B', { stop: 'none', reask: false });
    expect(verdictOf(answer)).toBe('abstained');
    expect(shown(answer)).toEqual([
      'No answer to rely on',
      'Too few chains named an answer by themselves.',
      '2 say B',
      '3 gave no answer',
    ]);
  });

  test('“I cannot tell” where the model chose it, which is no answer', async () => {
    const answer = await answered('EEEEA', { stop: 'none', abstainOption: true });
    expect(verdictOf(answer)).toBe('abstained');
    expect(shown(answer)).toEqual([
      'No answer to rely on',
      'The model chose “I cannot tell”.',
      '4 say I cannot tell',
      '1 says A',
    ]);
  });

  test('no answer at all is told apart from few', async () => {
    const answer = await answered('-----', { stop: 'none', reask: false });
    expect(shown(answer).slice(0, 2)).toEqual(['No answer to rely on', 'No chain named an answer by itself.']);
  });
});

test('the dissent stands beside the winner; where chains do not agree, every answer does', async () => {
  const agreed = await answered('ABBBB', { stop: 'none' });
  const voices = html(<Voices answer={agreed} question={question} verdict="agreed" />);
  expect([...voices.matchAll(/<h3>(.*?)<\/h3>/g)].map(([, title]) => title)).toEqual([
    expect.stringMatching(/^Why \(chain \d, the most probable of four\)$/),
    'Against it: A. Warfarin (chain 1)',
  ]);
  expect(voices.match(/class="voice"/g)).toHaveLength(2);

  const split = await answered('ABCBC', { stop: 'none' });
  expect(voicesOf(split).map(({ answer, count }) => [answer, count])).toEqual([
    ['B', 2],
    ['C', 2],
    ['A', 1],
  ]);
  const sides = html(<Voices answer={split} question={question} verdict="split" />);
  expect(sides.match(/class="voice"/g)).toHaveLength(3);
  expect(sides).not.toContain('Why');
});

test('what a clinician has to know of an answer is said in the language of the page', async () => {
  const alike = await answered('BBBBB', { stop: 'none', temperature: 0 });
  const equal = await ask(
    new FakeEngine(says('BBBBB')),
    { ...question, options: ['Warfarin', 'Warfarin', 'Aspirin'] },
    { format: 'raw', hash: false },
  );
  const [asked, ...options] = example.split(/\n+[A-D]\. /);
  const scored: Question = { kind: 'choice', question: asked!, options };
  const scopes = [scopeOf([demonstration], question)!, scopeOf([demonstration], scored)!];
  expect(scopes.map(({ inside }) => inside)).toEqual([false, true]);
  const warnings = [...alike.warnings, ...equal.warnings, ...scopes.map(({ warning }) => warning)];
  for (const said of ['outside', 'inside', 'alike', 'equal'] as const)
    expect(warnings.map(warning => inOwnWords(warning, catalogues.fr))).toContain(catalogues.fr.warned[said]);
});

test('text of the model is text, whatever it spells', async () => {
  const answer = await answered('BBBBB', { stop: 'none' });
  const hostile = '<img src=x onerror=alert(1)> The answer is: B';
  const samples = answer.samples.map(sample => ({ ...sample, text: hostile }));
  const chains = html(<AllChains chains={samples} cut={[]} stoppedBy="none" question={question} />);
  expect(chains).not.toContain('<img');
  expect(chains).toContain('&#60;img src=x');
});

test.each(Object.keys(languages) as Language[])('on paper, in %s, an answer stands alone', async tag => {
  language.value = tag;
  try {
    const words = catalogues[tag];
    const answer = await answered('ABBBB', { stop: 'none' });
    const page = text(<Sheet answer={answer} accuracy={words.answer.notMeasured} />);
    for (const said of [
      ...['Which?', 'Warfarin', 'Apixaban', 'Aspirin', 'No treatment', 'B. Apixaban'],
      words.answer.some(4, 5),
      words.answer.says(4, 'B'),
      words.answer.notMeasured,
      words.caution,
      words.notice,
      words.intendedUse,
      answer.evidence.model.file,
      answer.evidence.seeds[0]!.toString(),
    ])
      expect(page).toContain(said);
  } finally {
    language.value = 'en';
  }
});

test('a list out of the model’s scope begins with that, and one that was stopped says so', async () => {
  const open: Question = { kind: 'open', question: 'What is it?' };
  const listed = await ask(new FakeEngine([{ text: '{"diagnoses": ["Gout"]}' }]), open, {
    ...{ format: 'raw', hash: false, mode: 'ranked', samples: 1 },
  });
  expect(headline(listed, open)).toBe('Diagnoses, as the chains name them together');
  expect(headline({ ...listed, reason: 'out_of_scope' }, open)).toBe('No answer to rely on');
  const stopped = { ...listed, vote: { ...listed.vote!, stoppedBy: 'aborted' as const }, reason: 'aborted' as const };
  expect(headline(stopped, open)).toBe('Stopped after 1 of 1');
});
