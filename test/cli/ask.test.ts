import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ask } from '../../src/ask/ask.js';
import type { AskOptions } from '../../src/ask/options.js';
import { sealed } from '../../src/check/seal.js';
import { answerScreen } from '../../src/cli/terminal/answer.js';
import { chainsOn } from '../../src/cli/terminal/chains.js';
import type { Question } from '../../src/prompt/question/question.js';
import { FakeEngine, says } from '../ask/fake.js';
import { endless, interruptedAfter, meditron, model } from './command.js';

const question: Question = {
  kind: 'choice',
  question: 'Which vitamin prevents scurvy?',
  options: ['A', 'B12', 'C', 'D'],
};
const json = JSON.stringify({ question: question.question, options: { A: 'A', B: 'B12', C: 'C', D: 'D' } });
// A model of children's stories knows no format and no medicine; both are said, and the counting is the same.
const quick = ['-m', model, '--format', 'raw', '--instruction', '', '--max-tokens', '20', '--threads', '1'];
let folder: string;
let file: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'meditron-cli-'));
  file = join(folder, 'question.json');
  await writeFile(file, json);
});

afterAll(() => rm(folder, { recursive: true }));

describe('the stable surface', () => {
  test('sc-cot from a file: answer, votes, samples, evidence', async () => {
    const args = [
      'ask',
      '--json',
      '--mode',
      'sc-cot',
      '--samples',
      '3',
      '--temperature',
      '0.8',
      '--seed',
      '7',
      '--protocol',
      'strict',
      ...quick,
      file,
    ];
    const { code, stdout } = await meditron(args);
    expect(code).toBe(0);
    const answer = JSON.parse(stdout);
    expect(Object.keys(answer.votes)).toEqual(['A', 'B', 'C', 'D', 'unparsed', 'notRun']);
    const counted = Object.values<number>(answer.votes).reduce((a, b) => a + b);
    expect(counted).toBe(3);
    for (const sample of answer.samples) {
      expect(sample).toMatchObject({ text: expect.any(String), logprob: expect.any(Number) });
      expect(sample.tokens.every(Number.isInteger)).toBe(true);
      expect('ABCD').toContain(sample.answer);
    }
    expect(answer.answer).toMatch(/^[A-D]$/);
    expect(answer.evidence).toMatchObject({
      schema: 'meditron.evidence.v3',
      model: { sha256: expect.stringMatching(/^[0-9a-f]{64}$/) },
    });
    expect(JSON.parse((await meditron(args)).stdout).samples).toEqual(answer.samples);
  });

  test('top-token: scores of every option', async () => {
    const { stdout } = await meditron(['ask', '--json', '--mode', 'top-token', ...quick, file]);
    const { scores, answer } = JSON.parse(stdout);
    const best = Object.entries<{ logprob: number }>(scores).sort(([, a], [, b]) => b.logprob - a.logprob)[0]![0];
    expect(answer).toBe(best);
    expect(Object.keys(scores)).toEqual(['A', 'B', 'C', 'D']);
  });

  test('the question may come on standard input, as JSON or with lettered lines, or as words', async () => {
    const args = ['ask', '--json', '--mode', 'top-token', ...quick];
    const fromJson = JSON.parse((await meditron([...args, '-'], json)).stdout);
    const fromText = JSON.parse(
      (await meditron(args, 'Which vitamin prevents scurvy?\nA. A\nB. B12\nC. C\nD. D\n')).stdout,
    );
    expect(fromText.evidence.prompts).toEqual(fromJson.evidence.prompts);
    const words = await meditron(['ask', '--json', ...quick, 'What', 'is', 'scurvy?']);
    expect(JSON.parse(words.stdout)).toMatchObject({
      answer: null,
      decision: null,
      samples: [{ text: expect.any(String) }],
    });
  });
});

test('a record is written for the owner alone, and replays', async () => {
  const record = join(folder, 'record.json');
  expect((await meditron(['ask', ...quick, '-n', '2', '--record', record, file])).code).toBe(0);
  expect((await stat(record)).mode & 0o077).toBe(0);
  const { code, stdout } = await meditron(['replay', record]);
  expect({ code, stdout }).toEqual({
    code: 0,
    stdout: 'The same: the prompt, every token of 2 samples, and the vote.\n',
  });

  const changed = JSON.parse(await readFile(record, 'utf8'));
  changed.samples[1].tokens[2] += 1;
  await writeFile(record, JSON.stringify(changed));
  expect(await meditron(['replay', record])).toMatchObject({
    code: 3,
    stderr: expect.stringContaining('was changed after it was written'),
  });
  await writeFile(record, JSON.stringify(sealed(changed)));
  const again = await meditron(['replay', '--json', record]);
  expect(again.code).toBe(1);
  expect(JSON.parse(again.stdout)).toMatchObject({ same: false, difference: { where: 'sample', sample: 1, token: 2 } });
  expect((await meditron(['replay', file])).code).toBe(3);
});

test('refusals have their exit codes and say what to do', async () => {
  const unknown = await meditron(['ask', '-m', model, file]);
  expect(unknown).toMatchObject({ code: 4, stderr: expect.stringContaining('Choose one: chatml') });
  expect((await meditron(['ask', ...quick, join(folder, 'missing.json')])).code).toBe(3);
  expect((await meditron(['ask', '--mode', 'cott', file])).code).toBe(2);
  expect(await meditron(['ask', ...quick, '--samples', '0', file])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('--samples'),
  });
  const long = await meditron(['ask', '-m', model, '--format', 'raw', '--max-tokens', '400', file]);
  expect(long).toMatchObject({ code: 5, stderr: expect.stringMatching(/The prompt has \d+ tokens/) });
});

test('Ctrl-C shows the vote so far and ends with 130', async () => {
  const asked = ['-m', model, '--format', 'raw', '--instruction', '', '--threads', '1'];
  const { code, stdout } = await meditron(['ask', '--json', ...asked, ...endless, file], '', interruptedAfter(3));
  expect(code).toBe(130);
  const { votes, reason, samples } = JSON.parse(stdout);
  expect(reason).toBe('aborted');
  expect(samples.length).toBeGreaterThan(0);
  expect(votes.notRun).toBe(256 - samples.length);
});

describe('the screen', () => {
  const pipe = { columns: 120, isTTY: false as never, hasColors: () => false };
  const screen = async (script: string, options: AskOptions = {}, columns = 120, about = question) =>
    answerScreen(about, await ask(new FakeEngine(says(script)), about, { format: 'raw', hash: false, ...options }), {
      ...pipe,
      columns,
    });

  test('counts, all options in their order, both rationales, what the model is, once', async () => {
    const shown = await screen('CCACC', { stop: 'none' });
    expect(shown).toContain('C. C\nagreement: 4 of 5\n');
    expect(shown).toMatch(/1 ● +A\. A\n +0 +B\. B12\n +4 ●●●● +C\. C\n +0 +D\. D/);
    expect(shown).toMatch(/For C \(sample 1\) +│ Against it, for A \(sample 3\)/);
    expect(shown.match(/does not replace a clinician/g)).toHaveLength(1);
    expect(shown).not.toContain('%'.concat(' of'));
    expect(shown).toContain('38 to 96 times (95 % Wilson bounds)');
  });

  test('what was not run is said, and has no bounds', async () => {
    const shown = await screen('CCCCC', { width: 4 });
    expect(shown).toContain('agreement: 4 of 5, 1 not run');
    expect(shown).not.toContain('Wilson');
  });

  test('a split and an abstention say so first', async () => {
    expect(await screen('BAABC', { stop: 'none' })).toContain(
      'NO AGREEMENT: 2 of 5. Two answers have the same number of votes.',
    );
    expect(await screen('-----', { reask: false })).toMatch(
      /^NO ANSWER TO RELY ON: 0 of 5, 5 gave no answer\. No sample gave an answer\./,
    );
  });

  test('on a narrow terminal rationales stand below each other', async () => {
    const shown = await screen('CCACC', { stop: 'none' }, 60);
    expect(shown).not.toContain('│');
    expect(Math.max(...shown.split('\n').map(line => line.length))).toBeLessThanOrEqual(60);
  });

  test('what a question or a model writes cannot steer the terminal', async () => {
    const evil: Question = { kind: 'choice', question: 'x', options: ['a\x1b[2J', 'b\u202e'] };
    const engine = new FakeEngine([{ text: '\x1b]0;t\x07The answer is: A' }]);
    const shown = answerScreen(evil, await ask(engine, evil, { format: 'raw', hash: false, mode: 'cot' }), pipe);
    expect(shown).not.toMatch(/[\x1b\x07\u202e]/);
    expect(shown).toMatch(/In options\[0\]: 1 × control removed/);
  });
});

test('chains show their newest words, then their vote, and vanish', async () => {
  const written: string[] = [];
  const stream = {
    columns: 60,
    rows: 24,
    isTTY: true,
    write: (text: string) => written.push(text) > 0,
    hasColors: () => false,
  } as unknown as NodeJS.WriteStream;
  const chains = chainsOn(stream);
  chains.show({ type: 'text', sample: 0, text: `${'long '.repeat(40)}end\x1b[2J`, verified: false });
  chains.show({
    type: 'vote',
    sample: 1,
    answer: 'B',
    forced: true,
    finish: 'end',
    tally: { B: 1, unparsed: 0, notRun: 3 },
  });
  await expect.poll(() => written.join('')).toContain('Unverified until the vote closes: B 1');
  chains.close();
  const shown = written.join('');
  expect(shown).toMatch(/ {2}1 … ….*end␛\[2J/);
  expect(shown).toContain('  2 B  (when asked again)');
});
