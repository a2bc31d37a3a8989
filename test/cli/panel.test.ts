import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { memberTyped } from '../../src/cli/panel/flags.js';
import { panelScreen } from '../../src/cli/terminal/panel.js';
import { panelistsOn } from '../../src/cli/terminal/panelists.js';
import { entry } from '../../src/gguf/metadata.js';
import { writeGguf } from '../../src/gguf/writer.js';
import type { PanelAnswer } from '../../src/panel/types.js';
import type { Question } from '../../src/prompt/question/question.js';
import { sourcesOf, tinyModel } from '../../src/synth/tiny.js';
import { endless, interruptedAfter, meditron, model } from './command.js';

const folder = mkdtempSync(join(tmpdir(), 'meditron-panel-'));
afterAll(() => rmSync(folder, { recursive: true }));
const random = join(folder, 'random.gguf');
const file = join(folder, 'question.json');
const question: Question = { kind: 'choice', question: 'Who was it?', options: ['a dog', 'a cat', 'a bird'] };
const quick = ['--format', 'raw', '--instruction', '', '--max-tokens', '8', '--threads', '1', '-n', '2'];

beforeAll(async () => {
  const { metadata, tensors } = tinyModel({ architecture: 'llama', hyper: { context: 512, layers: 1 } });
  metadata.set('general.name', entry.string('random'));
  await writeGguf(random, metadata, sourcesOf(tensors));
  writeFileSync(file, JSON.stringify(question));
});

describe('the stable surface', () => {
  let printed: string;
  let answer: PanelAnswer & { readonly reading: unknown };

  test('one object: decision, families, members with their own answers, evidence', async () => {
    const missing = join(folder, 'missing.gguf');
    const record = join(folder, 'record.json');
    const asked = [
      'ask',
      '--json',
      ...quick,
      '--panel',
      `${model},r=${random}`,
      '--panel',
      missing,
      '--record',
      record,
    ];
    const { code, stdout } = await meditron([...asked, file]);
    expect(code).toBe(0);
    printed = stdout;
    answer = JSON.parse(stdout);
    expect(Object.keys(answer)).toEqual([
      ...['decision', 'reason', 'answer', 'families', 'heard', 'decided', 'needed', 'agreeing', 'summary', 'support'],
      ...['dissent', 'ranking', 'warnings', 'notice', 'members', 'evidence', 'reading'],
    ]);
    expect(answer.members.map(({ name, state, family, measured }) => [name, state, family?.name, measured])).toEqual([
      ['stories260K', 'answered', 'llama2.c-stories', null],
      ['random', 'answered', 'r', null],
      ['missing', 'failed', undefined, null],
    ]);
    for (const { answer: own } of answer.members.slice(0, 2))
      expect(own).toMatchObject({
        decision: expect.any(String),
        votes: expect.any(Object),
        samples: expect.any(Array),
      });
    expect(answer.evidence).toMatchObject({ schema: 'meditron.panel.v1', members: { length: 3 } });
  });

  test('what was printed, and what was recorded, replay; what was changed is found', async () => {
    const record = join(folder, 'record.json');
    const said =
      'The same: 2 models, each with its prompts, every token of its samples and its vote, and what follows from them';
    expect(await meditron(['replay', record])).toMatchObject({ code: 0, stdout: `${said}.\n` });
    const copy = join(folder, 'printed.json');
    writeFileSync(copy, printed);
    const again = await meditron(['replay', '--json', copy]);
    expect(JSON.parse(again.stdout)).toMatchObject({ same: true, member: null, members: { length: 3 } });
    writeFileSync(copy, readFileSync(record, 'utf8').replace('"heard": 2', '"heard": 1'));
    expect(await meditron(['replay', copy])).toMatchObject({ code: 3, stderr: expect.stringContaining('was changed') });
    expect(await meditron(['replay', '-m', model, record])).toMatchObject({ code: 2 });
  });
});

test('refusals say what to do', async () => {
  const refused = (args: readonly string[]) => meditron(['ask', ...args, file]);
  expect(await refused(['--panel', model])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('got 1: one alone'),
  });
  expect(await refused(['--panel', `${model},${random}`])).toMatchObject({
    code: 4,
    stderr: expect.stringContaining('Choose one'),
  });
  expect(await refused(['--panel', `${model},`])).toMatchObject({ code: 2 });
  expect(await refused(['-m', model, '--panel', `${model},${random}`])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('--model has no meaning with --panel'),
  });
});

test('Ctrl-C shows what there is and ends with 130', async () => {
  const long = ['--format', 'raw', '--threads', '1', '--instruction', '', '--max-tokens', '100', ...endless];
  const missing = join(folder, 'missing.gguf');
  const args = ['ask', ...long, '--panel', `${model},${random},${missing}`, file];
  const { code, stdout, stderr } = await meditron(args, '', interruptedAfter(1));
  expect(code).toBe(130);
  expect(stderr.match(/missing could not be asked, and the panel goes on without it/g)).toHaveLength(1);
  expect(stdout.replace(/\s+/g, ' ')).toContain('It was stopped before all models had been heard');
});

test('a model is typed as its file, with its family before it and its format behind; a file that is there is taken as it is', () => {
  expect(memberTyped('a.gguf')).toEqual({ path: 'a.gguf' });
  expect(memberTyped('x=a.gguf@raw')).toEqual({ path: 'a.gguf', family: 'x', format: 'raw' });
  expect(memberTyped('a.gguf@llama-3')).toEqual({ path: 'a.gguf', format: 'llama-3' });
  expect(memberTyped('C:\\models\\a.gguf@raw')).toEqual({ path: 'C:\\models\\a.gguf', format: 'raw' });
  expect(memberTyped('/some@where/a=b.gguf')).toEqual({ path: '/some@where/a=b.gguf' });
  const odd = join(folder, 'x=y@raw');
  writeFileSync(odd, '');
  expect(memberTyped(odd)).toEqual({ path: odd });
  expect(() => memberTyped(`${random}@rwa`)).toThrow(/format/);
  for (const nothing of ['=a.gguf@', 'x=wrad', 'wrad@raw']) expect(() => memberTyped(nothing)).toThrow(/neither/);
});

test('the card: accuracies, answers, families, reasons for and against, and last whether to rely on it', () => {
  const own = (answer: string, decision: 'agree' | 'split', votes: object) =>
    ({ answer, decision, votes: { ...votes, unparsed: 0, notRun: 0 }, summary: '2 of 3', samples: [] }) as never;
  const members = [
    {
      ...{ name: 'one', file: 'one.gguf', called: null, state: 'answered', error: null },
      family: { name: 'p', by: 'name' },
      measured: {
        ...{ sha256: ['00'], title: 'MedQA (test)', created: '2026-11-27T10:00:00.000Z', run: 'SC-CoT, 5 samples' },
        ...{ mode: 'sc-cot', protocol: 'strict', samples: 5, n: 1273, correct: 662, low: 0.49, high: 0.55 },
      },
      answer: own('B', 'agree', { B: 3 }),
    },
    {
      ...{ name: 'two\x1b[2J', file: 'two.gguf', called: null, state: 'answered', error: null, measured: null },
      family: { name: 'q', by: 'fingerprint' },
      answer: own('A', 'split', { A: 2, B: 1 }),
    },
    {
      ...{
        name: 'three',
        file: 'three.gguf',
        called: null,
        state: 'failed',
        family: null,
        measured: null,
        answer: null,
      },
      error: { code: 'ERR_MODEL_FILE', message: 'no such file' },
    },
  ] as const;
  const said = `It meowed, which dogs do not.\n\n  - ${'a long finding '.repeat(12).trim()}\n\n\nSo it was no dog.`;
  const shown = panelScreen(
    question,
    {
      ...{ decision: 'abstain', reason: 'too_few_families', answer: 'B', heard: 2, decided: 1, needed: 2, agreeing: 1 },
      families: [
        { family: 'p', members: [0], answer: 'B', standing: 'decided' },
        { family: 'q', members: [1], answer: null, standing: 'undecided' },
      ],
      summary: '1 of 2 families',
      support: {
        ...{ answer: 'B', families: ['p'], members: ['one'], standing: 'decided' },
        rationale: { member: 'one', sample: 0, text: said },
      },
      dissent: [{ answer: 'A', families: [], members: ['two'], standing: 'undecided', rationale: null }],
      ranking: null,
      members: members as never,
      ...{ warnings: [], notice: 'It is a model.', evidence: undefined as never },
    },
    { columns: 100, isTTY: false as never, hasColors: () => false },
  );
  const order = [
    'one: right in 662 of 1,273 questions (95 % interval 49 to 55 of 100): MedQA (test), SC-CoT, 5 samples, 2026-11-27',
    ': not measured',
    'one (p, by its name): B. a cat',
    'could not be asked: no such file',
    'q: no answer that it agrees on with itself',
    'For B. a cat (family p)',
    'Against it, for A. a dog',
    'NO ANSWER TO RELY ON: 1 of 2 families',
    'It is a model.',
  ];
  const flat = shown.replace(/\s+/g, ' ');
  const places = order.map(text => flat.indexOf(text));
  expect(
    places.every(place => place >= 0),
    flat,
  ).toBe(true);
  expect(places).toEqual([...places].sort((a, b) => a - b));
  expect(shown).not.toContain('\x1b');
  // In full: every line of it, blank ones too, none wider than the terminal, and what is indented stays so.
  const lines = shown.split('\n');
  const from = lines.indexOf('one, sample 1:') + 1;
  expect(lines[from]).toBe('It meowed, which dogs do not.');
  expect(lines.slice(from, lines.indexOf('So it was no dog.') + 1).filter(line => line === '')).toHaveLength(3);
  const finding = lines.slice(from + 2, from + 4);
  expect(finding.map(line => /^ {2}\S/.test(line))).toEqual([true, true]);
  expect(Math.max(...lines.map(line => line.length))).toBeLessThanOrEqual(100);
});

test('models show what they do, and vanish', () => {
  const written: string[] = [];
  const stream = {
    ...{ columns: 60, rows: 24, isTTY: true, hasColors: () => false },
    write: (text: string) => written.push(text) > 0,
  } as unknown as NodeJS.WriteStream;
  const panelists = panelistsOn(stream, ['one', 'two\x1b[2J']);
  panelists.show({ type: 'loading', member: 0, fraction: 0.5 });
  panelists.show({ type: 'failed', member: 1, message: 'x\x1b[2J' });
  panelists.close();
  expect(written.join('')).not.toContain('\x1b[2J');
});

test('eval --panel measures the models and the panel beside them; resumed it asks nothing again; ask shows the accuracies', async () => {
  const questions = join(folder, 'questions.jsonl');
  const rows = Array.from({ length: 4 }, (_, i) => ({
    question: `Who was it ${i}?`,
    options: ['a dog', 'a cat'],
    answer: 'A',
  }));
  writeFileSync(questions, rows.map(row => JSON.stringify(row)).join('\n'));
  const out = join(folder, 'results');
  const args = ['eval', '--json', '--panel', `${model},${random}`, '--file', questions, '--out', out];
  const how = ['--format', 'raw', '--mode', 'top-token', '--threads', '1'];
  const first = await meditron([...args, ...how]);
  expect(first).toMatchObject({ code: 0 });
  const report = JSON.parse(first.stdout);
  expect(report.runs.map(({ name }: { name: string }) => name)).toEqual([
    'panel of 2: top-token',
    'top-token (stories260K)',
    'top-token (random)',
  ]);
  expect(report.comparisons.map(({ first: one, second, n }: Record<string, unknown>) => [one, second, n])).toEqual([
    ['panel of 2: top-token', 'top-token (stories260K)', 4],
    ['panel of 2: top-token', 'top-token (random)', 4],
  ]);
  expect(report.runs[0].metrics).toMatchObject({ items: 4, accuracy: { n: 4 } });
  expect((await meditron([...args, ...how])).code).toBe(3);
  const again = JSON.parse((await meditron([...args, ...how, '--resume'])).stdout);
  expect(again.runs).toEqual(report.runs);
  const scored = JSON.parse((await meditron(['eval', '--json', '--rescore', out])).stdout);
  expect(scored.runs).toEqual(report.runs);

  const asked = ['ask', '--json', '--panel', `${model},${random}`, '--format', 'raw', '--mode', 'top-token'];
  const { members } = JSON.parse((await meditron([...asked, '--measured', out, file])).stdout) as PanelAnswer;
  expect(members.map(({ measured }) => measured?.n)).toEqual([4, 4]);
});
