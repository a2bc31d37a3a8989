import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { answererOf } from '../../src/answerer/engine.js';
import { keptBeginning, tooShortToKeep, tryKept } from '../../src/answerer/kept.js';
import { ask } from '../../src/ask/ask.js';
import { questionFree } from '../../src/ask/beginning.js';
import type { AskOptions } from '../../src/ask/options.js';
import { roomBehind } from '../../src/ask/room.js';
import type { Engine } from '../../src/engine/engine.js';
import type { EngineOptions, Model } from '../../src/engine/model.js';
import type { Question } from '../../src/prompt/question/question.js';
import { exact, loadStories, oneThread, storiesPath } from '../engine/stories.js';

const instruction = 'Lily and Tom played in the park. They saw a big red ball, and were happy. '.repeat(8);
const options: AskOptions = { format: 'raw', instruction, samples: 3, maxTokens: 12, stop: 'none', hash: false };
const questions: readonly Question[] = [
  { kind: 'choice', question: 'Who was it?', options: ['a dog', 'a cat', 'a bird'] },
  {
    kind: 'choice',
    question: 'What did Lily see, and where did she see it?',
    options: ['a red ball', 'nothing', 'rain'],
  },
];

let model: Model;
beforeAll(async () => {
  model = await loadStories();
});
afterAll(() => model.close());
let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'meditron-kept-'));
  file = join(folder, 'beginning');
});

const tokensOf = () => questionFree(model, questions[0]!, options);

/** What a question is answered by an engine of its own, in which a beginning is from the file. */
async function answered(question: Question, how: EngineOptions) {
  const tokens = await tokensOf();
  const room = await roomBehind(tokens, model, question, options);
  await using engine = await model.createEngine({ ...how, ...room });
  const beginning = await keptBeginning(engine, tokens, file);
  const before = engine.counters.promptTokens;
  const { samples, votes, plan } = await ask(answererOf(engine, beginning), question, options);
  beginning.held.release();
  const evaluated = { beginning: before, question: engine.counters.promptTokens - before };
  return { from: beginning.from, evaluated, length: tokens.length, answer: { samples, votes, plan } };
}

test.each([
  ['a cache in f32 without flash attention', exact],
  ['the usual cache', oneThread],
])(
  'a beginning that is loaded gives the tokens and log-probabilities of one that is evaluated, bit for bit: %s',
  async (_, how) => {
    const [first, second] = questions as [Question, Question];
    const evaluated = await answered(first, how);
    expect(evaluated.from).toBe('evaluation');
    expect(evaluated.length).toBeGreaterThan(100);
    expect(evaluated.evaluated.beginning).toBe(evaluated.length);
    const loaded = await answered(first, how);
    expect(loaded.from).toBe('file');
    expect(loaded.evaluated).toEqual({ ...evaluated.evaluated, beginning: 0 });
    expect(loaded.answer).toEqual(evaluated.answer);
    // Another question, of other length and so on an engine of another size, starts from the same file.
    const other = await answered(second, how);
    expect(other.from).toBe('file');
    expect(other.evaluated.beginning).toBe(0);
  },
);

test('a file of other tokens, of another engine or of no prefix is refused with what to do, and stays as it is', async () => {
  const tokens = await tokensOf();
  await using engine = await model.createEngine({ ...oneThread, contextSize: 512 });
  (await keptBeginning(engine, tokens, file)).held.release();
  const bytes = readFileSync(file);
  const refused = async (by: Engine, of: Int32Array, why: RegExp) => {
    const error = await keptBeginning(by, of, file).catch((error: unknown) => error);
    expect(error).toMatchObject({ code: 'ERR_INPUT', message: expect.stringMatching(why) });
    expect((error as Error).message).toMatch(/name another file or remove this one\.$/);
  };
  await refused(engine, tokens.slice(0, -1), /it is the beginning of other prompts/);
  await using other = await model.createEngine({ ...exact, contextSize: 512 });
  await refused(other, tokens, /`kvType` is f16 there, f32 here/);
  expect(readFileSync(file)).toEqual(bytes);
  writeFileSync(file, 'a text of mine');
  await refused(engine, tokens, /expected a prefix that an engine saved/);
  expect(readFileSync(file, 'utf8')).toBe('a text of mine');
  expect(engine.counters.promptTokens).toBe(tokens.length); // nothing was evaluated in place of what was refused
});

test('where nothing may be kept, or written there, that is said before anything is evaluated', async () => {
  const tokens = await tokensOf();
  await using engine = await model.createEngine({ ...oneThread, contextSize: 512 });
  const before = process.env.MEDITRON_STATE;
  process.env.MEDITRON_STATE = 'none';
  try {
    await expect(tryKept(file)).rejects.toMatchObject({ code: 'ERR_OUTPUT', message: expect.stringMatching(/`none`/) });
    await expect(keptBeginning(engine, tokens, file)).rejects.toMatchObject({ code: 'ERR_OUTPUT' });
  } finally {
    process.env.MEDITRON_STATE = before;
  }
  await expect(keptBeginning(engine, tokens, join(folder, 'none', 'x'))).rejects.toMatchObject({ code: 'ERR_OUTPUT' });
  expect([engine.counters.promptTokens, readdirSync(folder)]).toEqual([0, []]);
});

test('one that is evaluated serves though it could not be written, with a warning; nothing half-written stays', async () => {
  // A limit on the size of files makes the write fail half-way, as a full disk does. The key is there before.
  await tryKept(file);
  const script = `
    const { loadModel } = await import('./src/host/load.ts');
    const { keptBeginning } = await import('./src/answerer/kept.ts');
    const model = await loadModel({ path: ${JSON.stringify(storiesPath)} });
    const engine = await model.createEngine({ threads: 1, contextSize: 512 });
    const tokens = Int32Array.from({ length: 300 }, (_, i) => 300 + (i % 100));
    const { held, from, warnings } = await keptBeginning(engine, tokens, ${JSON.stringify(file)});
    console.log(JSON.stringify([held.tokenCount, from, warnings]));
    await engine.close();
    await model.close();`;
  const limited = `trap '' XFSZ; ulimit -f 100; exec "$0" "$@"`;
  const command = ['-c', limited, process.execPath, '--import', 'tsx', '--input-type=module', '-e', script];
  const { stdout, stderr } = spawnSync('bash', command, {
    encoding: 'utf8',
    env: { ...process.env, TSX_DISABLE_CACHE: '1' },
    cwd: resolve(import.meta.dirname, '..', '..'),
  });
  expect(stderr).toBe('');
  expect(JSON.parse(stdout)).toEqual([
    300,
    null,
    [expect.stringMatching(/was not saved: .*beginning cannot be written/)],
  ]);
  expect(readdirSync(folder)).toEqual([]);
});

test('two at once both have it, and one whole file is there; one that is given up leaves none', async () => {
  const tokens = await tokensOf();
  await using engine = await model.createEngine({ ...oneThread, contextSize: 1024 });
  const controller = new AbortController();
  controller.abort(new Error('given up'));
  await expect(keptBeginning(engine, tokens, file, controller.signal)).rejects.toThrow('given up');
  const stopped = new AbortController();
  const evaluating = keptBeginning(engine, tokens, file, stopped.signal);
  stopped.abort(new Error('stopped'));
  await expect(evaluating).rejects.toThrow('stopped');
  expect(readdirSync(folder)).toEqual([]);
  const both = await Promise.all([keptBeginning(engine, tokens, file), keptBeginning(engine, tokens, file)]);
  expect(both.map(({ from, held }) => [from, held.tokenCount])).toEqual([
    ['evaluation', tokens.length],
    ['evaluation', tokens.length],
  ]);
  for (const { held } of both) held.release();
  expect(readdirSync(folder)).toEqual(['beginning']);
  const again = await keptBeginning(engine, tokens, file);
  expect(again.from).toBe('file');
  again.held.release();
});

test('too few tokens are not kept, and why is said', () => {
  expect(tooShortToKeep(new Int32Array(15))).toMatch(/fewer than 16 tokens/);
  expect(tooShortToKeep(new Int32Array(16))).toBeUndefined();
});
