import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { sealed } from '../../src/check/seal.js';
import { createProgram } from '../../src/cli/program.js';
import { report } from '../../src/cli/terminal/exit.js';
import { entry } from '../../src/gguf/metadata.js';
import { completion, fakeServer } from '../evaluate/run/server.js';
import { writeSample } from '../gguf/sample.js';
import { meditron, model, root } from './command.js';

/** Clears the screen, retitles the window, recolours, goes back to the line's beginning, deletes, reorders. */
const evil = 'x\x1b[2J\x1b]0;t\x07\x9b31m\r\x7f\x08\u202eb\u2066c\u200f\u061c\u2028y';
const harmful = /[\0-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\u2028\u2029]/;

const folder = mkdtempSync(join(tmpdir(), 'meditron-plain-'));
const path = (name: string) => join(folder, name);
function file(name: string, content: string): string {
  writeFileSync(path(name), content);
  return path(name);
}

/** All that a command wrote to both streams, in this process, as on a terminal for which no colours are wanted. */
async function written(args: readonly string[]): Promise<string> {
  let text = '';
  const spies = [process.stdout, process.stderr].map(stream =>
    vi.spyOn(stream, 'write').mockImplementation((piece, ...more) => {
      text += piece;
      for (const done of more) if (typeof done === 'function') (done as () => void)();
      return true;
    }),
  );
  try {
    await (await createProgram()).parseAsync([...args], { from: 'user' });
  } catch (error) {
    report(error, args.includes('--json'));
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
  return text;
}

async function expectPlain(args: readonly string[]): Promise<string> {
  const text = await written(args);
  expect.soft(text, args.join(' ')).not.toBe('');
  expect.soft([args, harmful.exec(text)?.[0]]).toEqual([args, undefined]);
  return text;
}

const was = {
  stdout: process.stdout.isTTY,
  stderr: process.stderr.isTTY,
  exitCode: process.exitCode,
  term: process.env.TERM ?? 'xterm',
};
let named: string;
let described: string;
let question: string;
let text: string;
beforeAll(async () => {
  process.chdir(folder); // some of the flags name files to write
  process.stdout.isTTY = true;
  process.stderr.isTTY = true;
  process.env.TERM = 'dumb';
  named = path(`${evil}.gguf`);
  copyFileSync(model, named);
  described = await writeSample(path('described.gguf'), {
    'general.name': entry.string(evil),
    'general.type': entry.string(evil),
    'tokenizer.ggml.pre': entry.string(evil),
    'tokenizer.chat_template': entry.string(evil),
  });
  question = file('q.json', JSON.stringify({ question: `Which ${evil}?`, options: { A: evil, B: `${evil} 2` } }));
  text = file(`${evil}.txt`, evil);
});
afterAll(() => {
  process.chdir(root);
  process.stdout.isTTY = was.stdout;
  process.stderr.isTTY = was.stderr;
  process.exitCode = was.exitCode;
  process.env.TERM = was.term;
  rmSync(folder, { recursive: true, force: true });
});

// In this process: the same words as from one of its own, several times as fast. Files are read by one.
const small = ['--max-tokens', '2', '--threads', '1', '--in-process'];
const apart = small.slice(0, -1);
const asked = () => [question, '-m', model, '--format', 'raw', ...small, '-n', '1'];

test('files with such names and contents', async () => {
  for (const m of [named, described, path(evil)]) {
    await expectPlain(['inspect', m]);
    await expectPlain(['inspect', m, '--json']);
    await expectPlain(['run', '-m', m, '-p', evil, ...apart]);
    await expectPlain(['run', '-m', m, '-f', text, '-n', '2', ...apart]);
    await expectPlain(['tokenize', '-m', m, '-f', text]);
    await expectPlain(['tokenize', '-m', m, evil, '--json']);
    await expectPlain(['prompt', '-m', m, question]);
    await expectPlain(['prompt', '-m', m, question, '--format', 'raw']);
    await expectPlain(['ask', '-m', m, question, '--format', 'raw', ...apart, '-n', '2']);
    await expectPlain(['ask', '-m', m, question, '--format', 'raw', '--mode', 'top-token', '--json']);
    await expectPlain(['chat', '-m', m, '--format', evil]);
  }
  await expectPlain(['ask', '-m', model, '--format', 'raw', ...apart, evil, evil]);
  await expectPlain(['replay', text]);
  await expectPlain(['replay', path(evil)]);
});

/** Flags whose values are names of files or texts, and would be used if they were not refused. */
const base: Readonly<Record<string, () => readonly string[]>> = {
  ask: asked,
  prompt: () => [question, '-m', model, '--format', 'raw', '--in-process'],
  replay: () => [text],
  eval: () => ['--file', text, '--out', path('out'), '-m', model, '--in-process'],
  run: () => ['-m', model, '-p', evil, ...small],
  chat: () => ['-m', path(evil)],
  inspect: () => [model],
  fit: () => ['no such model'],
  models: () => [path('nowhere')],
  check: () => [path('nowhere')],
  tokenize: () => ['-m', model, evil, '--in-process'],
  devices: () => [],
  demo: () => [],
  serve: () => ['-m', path('nowhere')],
  menu: () => [],
  verify: () => [path('nowhere')],
};

describe.each((await createProgram()).commands.map(command => [command.name(), command] as const))(
  '%s',
  (name, command) => {
    test('with such a value for every flag, as an argument, and as a flag', async () => {
      const args = base[name]!();
      for (const option of command.options.filter(option => option.required))
        await expectPlain([name, ...args, option.long!, evil]);
      await expectPlain([name, ...args, `--${evil}`]);
      await expectPlain([name, ...args, `--${evil}`, '--json']);
      if (name !== 'ask' && name !== 'prompt') await expectPlain([name, ...args, evil, evil, evil]);
      await expectPlain([evil]);
    });
  },
);

test('every text of a record', async () => {
  const record = path('record.json');
  await written(['ask', ...asked(), '--record', record]);
  const evidence = JSON.parse(readFileSync(record, 'utf8'));
  const places: (readonly string[])[] = [];
  const visit = (value: unknown, at: readonly string[]) => {
    if (typeof value === 'string') places.push(at);
    else if (typeof value === 'object' && value !== null)
      for (const [key, inner] of Object.entries(value)) visit(inner, [...at, key]);
  };
  visit(evidence, []);
  expect(places.length).toBeGreaterThan(20);
  for (const at of places) {
    const changed = structuredClone(evidence);
    const holder = at.slice(0, -1).reduce((value, key) => value[key], changed);
    holder[at.at(-1)!] = evil;
    await expectPlain(['replay', file('changed.json', JSON.stringify(sealed(changed))), '--in-process']);
  }
});

test('rows of a file of questions, and what is stored of them', async () => {
  const row = { id: evil, question: evil, options: { A: evil, B: 'b' }, answer: 'A', subject: evil };
  const rows = file('rows.jsonl', `${JSON.stringify(row)}\n`);
  const out = path(`out ${evil}`);
  const args = ['-m', named, '--format', 'raw', '--shots', '0', ...small];
  await expectPlain(['eval', '--file', rows, '--mode', 'top-token,cot', '--out', out, ...args]);
  expect(readdirSync(out)).toContain('results.jsonl');
  await expectPlain(['eval', '--rescore', out]);
  await expectPlain(['eval', '--compare', out, out]);
  await expectPlain(['eval', '--file', rows, '--mode', 'top-token', '--out', out, ...args]);
  for (const bad of [
    { [evil]: evil },
    { ...row, answer: evil },
    { ...row, [evil]: 1 },
    { ...row, options: evil },
    evil,
  ]) {
    const unfit = file('bad.jsonl', `${JSON.stringify(bad)}\n`);
    await expectPlain(['eval', '--file', unfit, '--out', path('bad'), ...args]);
    await expectPlain(['ask', unfit, '-m', model, '--format', 'raw', ...small]);
  }
  await expectPlain(['eval', '--task', 'medqa', '--data', path(evil), '--out', path('none'), ...args]);
});

test.each([
  ['an error', { status: 401, body: evil }],
  ['an error in JSON', { status: 400, body: { error: { message: evil, type: evil } } }],
  ['a page', { body: evil, headers: { 'content-type': 'text/html' } }],
  ['a reply of another shape', { body: { [evil]: evil } }],
  ['an answer', { body: completion(`${evil}\nThe answer is: A`) }],
])('what a server sends: %s', async (name, answered) => {
  await using server = await fakeServer(() => answered);
  const rows = file('asked.jsonl', '{"question":"Which?","options":{"A":"this","B":"that"},"answer":"B"}\n');
  const args = ['eval', '--file', rows, '--mode', 'cot', '--format', 'raw', '--endpoint', server.url];
  await expectPlain([...args, '--out', path(`served ${name}`)]);
  await expectPlain([...args, '--out', path(`named ${name}`), '--endpoint-model', evil]);
});

test('chat shows messages, commands and errors plainly', async () => {
  const lines = [`/${evil}`, `/system ${evil}`, '/system', evil].map(line => line.replace(/[\r\u2028]/g, ''));
  const { stdout, stderr } = await meditron(
    ['chat', '-m', named, '--format', 'alpaca', '--system', evil, ...small],
    `${lines.join('\n')}\n`,
  );
  expect(harmful.exec(stdout + stderr)).toBeNull();
});

test('nothing writes to a stream past the two files that make it plain', () => {
  const source = resolve(root, 'src', 'cli');
  const through = ['output.ts', 'screen.ts'].map(name => join('terminal', name));
  const past = readdirSync(source, { recursive: true, encoding: 'utf8' })
    .filter(name => name.endsWith('.ts') && !through.includes(name))
    .filter(name =>
      /\b(stdout|stderr|stream)\.write\(|console\.|cli-progress|log-update/.test(
        readFileSync(join(source, name), 'utf8'),
      ),
    );
  expect(past).toEqual([]);
});
