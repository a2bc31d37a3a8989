import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { meditron, model } from './command.js';

const folder = mkdtempSync(join(tmpdir(), 'meditron-outputs-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const file = join(folder, 'file');
writeFileSync(file, 'before');
mkdirSync(join(folder, 'sub'));

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
