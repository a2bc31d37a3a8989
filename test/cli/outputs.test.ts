import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { tryFolder, tryOutput, writeOutput } from '../../src/cli/outputs.js';
import { meditron, model } from './command.js';

const folder = mkdtempSync(join(tmpdir(), 'meditron-outputs-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const file = join(folder, 'file');
writeFileSync(file, 'before');
mkdirSync(join(folder, 'sub'));
mkdirSync(join(folder, 'work'));
const before = readdirSync(folder);

describe.each([
  ['a folder that is not there', join(folder, 'no', 'such', 'r.json'), /there is no folder .*such/],
  ['a folder', join(folder, 'sub'), /it is a folder/],
  ['a file where a folder should be', join(file, 'r.json'), /ENOTDIR/],
  ['a name that is too long', join(folder, 'x'.repeat(300)), /ENAMETOOLONG/],
])('%s', (_, path, why) => {
  test('is refused before anything is computed, and when it is written', async () => {
    const refusal = { code: 'ERR_OUTPUT', message: expect.stringMatching(why) };
    await expect(tryOutput(path)).rejects.toMatchObject(refusal);
    await expect(writeOutput(path, 'after')).rejects.toMatchObject(refusal);
    expect(readdirSync(folder)).toEqual(before);
  });
});

test('trying leaves nothing behind, and writing replaces the whole file for its owner alone', async () => {
  const fresh = join(folder, 'work', 'fresh');
  const link = join(folder, 'work', 'link');
  symlinkSync(file, link);
  for (const path of [fresh, link, file]) await tryOutput(path);
  await tryFolder(join(folder, 'a', 'b', 'c'));
  expect([readdirSync(folder), readdirSync(join(folder, 'work'))]).toEqual([before, ['link']]);
  expect(readFileSync(file, 'utf8')).toBe('before');
  await writeOutput(fresh, ['one ', 'two']);
  await writeOutput(link, 'after');
  expect([fresh, file].map(path => readFileSync(path, 'utf8'))).toEqual(['one two', 'after']);
  expect(statSync(fresh).mode & 0o077).toBe(0);
  expect(readdirSync(join(folder, 'work'))).toEqual(['fresh', 'link']);
});

test('what fails in the middle leaves the old file and nothing beside it', async () => {
  const path = join(folder, 'work', 'kept');
  await writeOutput(path, 'old');
  const broken = (function* () {
    yield 'new';
    throw new Error('it broke');
  })();
  await expect(writeOutput(path, broken)).rejects.toMatchObject({ code: 'ERR_OUTPUT' });
  expect(readFileSync(path, 'utf8')).toBe('old');
  expect(readdirSync(join(folder, 'work')).filter(name => name.startsWith('.'))).toEqual([]);
});

const quick = ['-m', model, '--format', 'raw', '--instruction', '', '--max-tokens', '8', '--threads', '1'];
const question = join(folder, 'sub', 'question.txt');
writeFileSync(question, 'Which vitamin prevents scurvy?\nA. B12\nB. C\n');
const questions = join(folder, 'sub', 'questions.jsonl');
writeFileSync(questions, '{"question":"Which?","options":{"A":"this","B":"that"},"answer":"B"}\n');
const measured = ['eval', '--file', questions, '--mode', 'top-token', '-m', model, '--format', 'raw', '--shots', '0'];

test.each([
  ['ask --record', ['ask', question, '-m', join(folder, 'none.gguf'), '--record']],
  ['eval --html', [...measured, '--out', join(folder, 'sub', 'out'), '--html']],
  ['eval --out', [...measured, '--out']],
])('%s says that it cannot write before it loads a model', async (_, args) => {
  const ran = await meditron([...args, args.at(-1) === '--out' ? join(file, 'out') : join(folder, 'none', 'r')]);
  expect(ran).toMatchObject({ code: 3, stdout: '', stderr: expect.stringContaining('cannot be written') });
  expect(existsSync(join(folder, 'sub', 'out'))).toBe(false);
});

test.runIf(existsSync('/dev/full')).each([
  ['ask', ['ask', question, ...quick, '--record', '/dev/full'], /gave no answer|agreement|AGREEMENT|ANSWER/],
  ['ask --json', ['ask', question, ...quick, '--json', '--record', '/dev/full'], /"evidence"/],
  ['eval', [...measured, '--out', join(folder, 'sub', 'full'), '--html', '/dev/full'], /top-token/],
])('%s shows what was computed, though the disk is full', async (_, args, shown) => {
  const { code, stdout, stderr } = await meditron(args);
  expect(stdout).toMatch(shown);
  expect(stderr).toMatch(/dev\/full cannot be written: ENOSPC/);
  expect(code).toBe(3);
});
