import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readEvidence } from '../../src/ask/record/schema.js';
import { createProgram } from '../../src/cli/program.js';
import { type Ended, meditron, model, preloaded } from './command.js';
import { hasProc } from './processes.js';

const folder = mkdtempSync(join(tmpdir(), 'meditron-isolated-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const record = join(folder, 'record.json');
const questions = join(folder, 'questions.jsonl');
const question = 'Which vitamin prevents scurvy?\nA. Vitamin A\nB. Vitamin C\n';
const small = ['-m', model, '--threads', '1', '--max-tokens', '4'];
const asked = [...small, '--format', 'raw', '--samples', '2'];

beforeAll(async () => {
  writeFileSync(questions, '{"question":"Which is a vitamin?","options":{"A":"C","B":"Iron"},"answer":"A"}\n');
  await meditron(['ask', ...asked, '--record', record], question);
});

/** Every command that loads a model, at its shortest. */
const commands: Record<string, { readonly args: readonly string[]; readonly input?: string }> = {
  ask: { args: ['ask', ...asked], input: question },
  prompt: { args: ['prompt', '-m', model, '--format', 'raw'], input: question },
  replay: { args: ['replay', record] },
  eval: { args: ['eval', '--file', questions, ...asked, '--mode', 'sc-cot'] },
  run: { args: ['run', ...small, '-p', 'Once'] },
  chat: { args: ['chat', ...small, '--format', 'alpaca'], input: 'Hello\n' },
  tokenize: { args: ['tokenize', '-m', model, 'Once'] },
  demo: { args: ['demo'] },
};

let runs = 0;

async function processesOf(name: string, ...more: string[]): Promise<unknown[]> {
  const { args, input } = commands[name]!;
  const notes = join(folder, `notes-${++runs}`);
  const out = name === 'eval' ? ['--out', join(folder, `out-${runs}`)] : [];
  const env = preloaded('mapped.mjs', { MEDITRON_TEST_MAPPED: notes });
  const ran = await meditron([...args, ...out, ...more], input, env);
  expect(ran).toMatchObject({ code: 0 });
  const lines = readFileSync(notes, 'utf8').trim().split('\n');
  return lines.map(line => JSON.parse(line)).sort((a, b) => Number(a.engine) - Number(b.engine));
}

test.runIf(hasProc).each(Object.keys(commands))('%s leaves the addon to a process of its own', async name => {
  expect(await processesOf(name)).toEqual([
    { engine: false, addon: false },
    { engine: true, addon: true },
  ]);
});

test.runIf(hasProc)('--in-process starts no other process', async () => {
  expect(await processesOf('run', '--in-process')).toEqual([{ engine: false, addon: true }]);
});

const ended = new Map<string, Promise<Ended>>();

/** Runs a command whose engine dies with its first text; once for all that is said of how it ends. */
function dying(name: string, gpu: string, ...more: string[]): Promise<Ended> {
  const key = [name, gpu, ...more].join();
  if (!ended.has(key)) {
    const { args, input } = commands[name]!;
    const env = preloaded('dying.mjs', { MEDITRON_TEST_DIED: join(folder, `died-${++runs}`), MEDITRON_TEST_GPU: gpu });
    ended.set(key, meditron([...args, ...more], input, env));
  }
  return ended.get(key)!;
}

const answering = ['ask', 'run', 'chat', 'demo', 'replay'];

test.each(answering)(
  '%s answers on the CPU, and says why, when the engine dies on a GPU',
  async name => {
    const { args, input } = commands[name]!;
    const { code, stdout, stderr } = await dying(name, 'GPU0');
    const plain = await meditron(args, input);
    const shown = stdout.replace(/^.*\[The engine died here\. .* begins again\.\]\n/s, '');
    expect({ code, shown: shown.replace(', GPU0.', '.') }).toEqual({ code: 0, shown: plain.stdout });
    const [warning] = stderr.split('\n').filter(line => line.includes('died') || line.includes('GPU0'));
    expect(warning).toMatch(/^meditron: warning: The engine's process .*SIGABRT.*(prompt|decoded) on CPU, GPU0 \(/);
    expect(warning).toContain('CUDA error: an illegal memory access was encountered');
    expect(warning).toMatch(/with the CPU alone.*meditron devices.*--gpu-layers 0/);
  },
  180_000,
);

test.each(['run', 'chat'])('%s marks the text of the attempt that broke off', async name => {
  const { stdout } = await dying(name, 'GPU0');
  expect(stdout).toMatch(/^\s*\S+[^[]*\n\[The engine died here\. What was shown is no answer; it begins again\.\]\n/);
});

test.each(['ask', 'run'])('%s --json carries the warning', async name => {
  const { code, stdout } = await dying(name, 'GPU0', '--json');
  expect(code).toBe(0);
  expect(JSON.parse(stdout).warnings[0]).toMatch(/SIGABRT.*GPU0.*CUDA error.*with the CPU alone/);
});

test.each(answering)('%s ends with the typed error when the engine dies without a GPU', async name => {
  const { code, stdout, stderr } = await dying(name, '');
  expect(code).toBe(6);
  expect(stderr).toMatch(/^meditron: The engine's process was ended by SIGABRT.*CUDA error/m);
  expect(stdout).not.toContain('begins again');
});

test('of an ask that failed --record has the samples that had finished, and replays', async () => {
  const file = join(folder, 'part.json');
  const args = [
    'ask',
    ...asked,
    '--mode',
    'free',
    '--samples',
    '12',
    '--width',
    '4',
    '--stop-rule',
    'none',
    '--record',
    file,
  ];
  const env = { MEDITRON_TEST_DIED: join(folder, `died-${++runs}`), MEDITRON_TEST_GPU: '', MEDITRON_TEST_SPARED: '1' };
  const failed = await meditron(args, 'Which vitamin prevents scurvy?\n', preloaded('dying.mjs', env));
  expect(failed).toMatchObject({ code: 6, stdout: '' });
  const { samples, result } = readEvidence(JSON.parse(readFileSync(file, 'utf8')));
  expect(samples.length).toBeGreaterThan(0);
  expect(samples.length).toBeLessThan(12);
  expect(result.stoppedBy).toBe('failed');
  expect(failed.stderr).toContain(`What had finished (samples: ${samples.length}) is in ${file}`);
  expect(await meditron(['replay', file])).toMatchObject({ code: 0 });
});

test('text that came before the engine died stays, and --json names the error', async () => {
  const plain = await dying('run', '');
  expect(plain.stdout).not.toBe('');
  const json = await dying('run', '', '--json');
  expect(JSON.parse(json.stderr)).toEqual({
    error: { code: 'ERR_ENGINE_DIED', message: expect.stringContaining('SIGABRT') },
  });
});

test('a chat goes on after its engine has died: the turn is as if it had not been', async () => {
  const args = ['chat', ...small, '--format', 'alpaca', '--json'];
  const env = preloaded('dying.mjs', { MEDITRON_TEST_DIED: join(folder, `died-${++runs}`), MEDITRON_TEST_GPU: '' });
  const { code, stdout } = await meditron(args, 'Hello\nTell me a story\nAnd then?\n', env);
  const [failed, ...answers] = stdout
    .trim()
    .split('\n')
    .map(line => JSON.parse(line));
  const afresh = await meditron(args, 'Tell me a story\nAnd then?\n');
  expect(code).toBe(6);
  expect(failed.error.code).toBe('ERR_ENGINE_DIED');
  const texts = (lines: { answer: string; evaluatedTokens: number }[]) =>
    lines.map(({ answer, evaluatedTokens }) => ({ answer, evaluatedTokens }));
  expect(texts(answers)).toEqual(
    texts(
      afresh.stdout
        .trim()
        .split('\n')
        .map(line => JSON.parse(line)),
    ),
  );
});

test('every command that loads a model says what --in-process does', async () => {
  for (const name of Object.keys(commands)) {
    const [command] = (await createProgram(name)).commands;
    expect.soft(command!.helpInformation(), name).toMatch(/--in-process +run the model in the command/);
  }
});
