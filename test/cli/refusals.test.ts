import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { createProgram } from '../../src/cli/program.js';
import { exitCodeOf } from '../../src/cli/terminal/exit.js';
import { meditron, model } from './command.js';

const folder = mkdtempSync(join(tmpdir(), 'meditron-cli-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function file(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

/** Runs the command line in this process, to see what it throws. */
async function failure(...args: string[]): Promise<{ code: number; message: string }> {
  try {
    await (await createProgram()).parseAsync(args, { from: 'user' });
  } catch (error) {
    return { code: exitCodeOf(error), message: (error as Error).message };
  }
  throw new Error('Expected a refusal');
}

const empty = file('empty.gguf', '');
const text = file('text.gguf', 'this is no model, whatever its name says');
const truncated = file('truncated.gguf', readFileSync(model).subarray(0, 600_000));

test.each([
  ['a missing model', ['run', '-m', join(folder, 'none.gguf'), '-p', 'x'], 4, /no such file/],
  ['a model of no name', ['run', '-m', 'meditron-7b', '-p', 'x'], 4, /neither.*meditron models get meditron-7b/],
  ['a folder', ['run', '-m', folder, '-p', 'x'], 4, /directory/],
  ['an empty file', ['run', '-m', empty, '-p', 'x'], 4, /empty/],
  ['a file that is no GGUF', ['run', '-m', text, '-p', 'x'], 4, /GGUF/],
  ['a truncated file', ['run', '-m', truncated, '-p', 'x'], 4, /1,185,504 bytes.*600,000/],
  ['a truncated file to inspect', ['inspect', truncated], 4, /600,000/],
  ['a misspelt option', ['run', '--temprature', '1'], 2, /unknown option '--temprature'[\s\S]*--temperature/],
  ['a misspelt command', ['rnu'], 2, /unknown command 'rnu'[\s\S]*run/],
  ['an option of no number', ['run', '-p', 'x', '-t', 'NaN'], 2, /--temperature.*"NaN"/],
  ['an option out of range', ['run', '-p', 'x', '-t', '-1'], 2, /--temperature.*-1/],
  ['an empty number', ['run', '-p', 'x', '--top-k', ''], 2, /--top-k.*""/],
  ['half a token', ['run', '-p', 'x', '--max-tokens', '1.5'], 2, /--max-tokens.*1\.5/],
  ['no samples', ['run', '-p', 'x', '-n', '0'], 2, /--samples.*0/],
  ['an option value that is missing', ['run', '-p'], 2, /argument missing/],
  ['an unknown choice', ['run', '-p', 'x', '--kv-type', 'q4'], 2, /f16, q8_0, f32/],
  ['an empty stop text', ['run', '-p', 'x', '--stop', ''], 2, /stop/],
  ['two sources of text', ['run', '-p', 'x', '-f', 'y'], 2, /cannot be used with/],
  ['log-probabilities nobody would see', ['run', '-p', 'x', '--logprobs'], 2, /--json/],
  ['an empty question', ['ask', ''], 3, /blank text/],
  ['a blank question', ['prompt', ' ', ' '], 3, /blank text/],
  ['a text file that is missing', ['run', '-f', join(folder, 'none.txt')], 3, /none\.txt/],
  ['a text file that is not UTF-8', ['run', '-f', file('latin', new Uint8Array([65, 0xff]))], 3, /UTF-8/],
  ['a malformed grammar', ['run', '-m', model, '-p', 'x', '--grammar', file('g.gbnf', 'root ::= (')], 2, /grammar/i],
  [
    'more tokens than the model was trained for',
    ['run', '-m', model, '-p', 'x', '--max-tokens', '600'],
    5,
    /600 more, 60\d in all.*512/,
  ],
  [
    'a context too small for what is asked',
    ['run', '-m', model, '-p', 'x', '-n', '4', '--max-tokens', '200', '--ctx', '512'],
    5,
    /4 × 200/,
  ],
  ['a chat with a model that is not known', ['chat', '-m', model], 4, /--format NAME/],
  ['a chat in a format that has none', ['chat', '-m', model, '--format', 'few-shot'], 4, /no conversation.*one-shot/],
  ['a chat in a format that does not exist', ['chat', '--format', 'chatlm'], 4, /chatml/],
  ['a surplus argument', ['devices', 'all'], 2, /too many arguments/],
])('%s is refused with its exit code and a reason', async (_, args, code, reason) => {
  const refused = await failure(...args);
  expect(refused.message).toMatch(reason);
  expect(refused.code).toBe(code);
});

test('a refusal is one sentence on stderr and nothing on stdout', async () => {
  const ran = await meditron(['run', '--temprature', '1']);
  expect(ran).toEqual({
    code: 2,
    stdout: '',
    stderr: "meditron: Unknown option '--temprature'. Did you mean --temperature? --help shows what there is\n",
  });
});

test('with --json a refusal is one line of JSON on stderr', async () => {
  const ran = await meditron(['run', '-m', folder, '-p', 'x', '--json']);
  expect(ran).toMatchObject({ code: 4, stdout: '' });
  expect(JSON.parse(ran.stderr)).toEqual({ error: { code: 'ERR_MODEL_FILE', message: expect.any(String) } });
});

test('messages name the flag that was typed, not the option of the library', async () => {
  const ran = await meditron(['run', '-m', model, '-p', 'x', '-n', '4', '--max-tokens', '200', '--ctx', '512']);
  expect(ran.code).toBe(5);
  expect(ran.stderr).toContain('Give a larger `--ctx`');
});

test('no prompt at all is a hint, not a wait', async () => {
  const ran = await meditron(['run']);
  expect(ran).toMatchObject({ code: 2, stdout: '' });
  expect(ran.stderr).toContain('-p TEXT');
});

test('no command is the help, and a usage error', async () => {
  const ran = await meditron([]);
  expect(ran).toMatchObject({ code: 2, stdout: '' });
  expect(ran.stderr).toContain('Usage: meditron');
});
