import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ask } from '../../src/ask/ask.js';
import type { AskOptions } from '../../src/ask/options.js';
import type { Answer } from '../../src/ask/types.js';
import type { Engine } from '../../src/engine/engine.js';
import type { Model } from '../../src/engine/model.js';
import { loadModel } from '../../src/host/load.js';
import type { Question } from '../../src/prompt/question/question.js';
import { writeShallowStories } from '../engine/shallow.js';

const choice: Question = { kind: 'choice', question: 'Who was it?', options: ['a dog', 'a cat', 'a bird'] };
const boolean: Question = { kind: 'boolean', question: 'Was it there?', context: ['It was not there.'] };
const open: Question = { kind: 'open', question: 'Who was it?' };
const chat: Question = { kind: 'chat', messages: [{ role: 'user', content: 'Who was it?' }] };

const short = { format: 'raw', maxTokens: 4, stop: 'none', hash: false } as const;

/** Every mode, protocol and way of asking that fits together, as short as it can be. */
function* waysToAsk(): Generator<readonly [name: string, question: Question, options: AskOptions]> {
  for (const protocol of ['strict', 'authors-code'] as const) {
    for (const reask of [true, false]) {
      yield [`${protocol} cot${reask ? ' asked again' : ''}`, boolean, { ...short, protocol, mode: 'cot', reask }];
      yield [`${protocol} sc-cot${reask ? ' asked again' : ''}`, choice, { ...short, protocol, samples: 2, reask }];
    }
    yield [`${protocol} shuffle`, choice, { ...short, protocol, shuffle: 'rotate', samples: 2, reask: true }];
    yield [`${protocol} ranked`, open, { ...short, protocol, mode: 'ranked', samples: 2 }];
    yield [`${protocol} free`, open, { ...short, protocol, mode: 'free', samples: 2 }];
  }
  for (const protocol of ['strict', 'paper', 'authors-code'] as const) {
    for (const debias of ['none', 'permutations', 'contextual', { prior: [0.4, 0.3, 0.3] }] as const)
      yield [`${protocol} ${JSON.stringify(debias)}`, choice, { ...short, protocol, mode: 'top-token', debias }];
  }
  yield ['conversation', chat, { ...short, format: 'llama-2' }];
}

let stories: Model;
beforeAll(async () => {
  const path = join(mkdtempSync(join(tmpdir(), 'meditron-sharing-')), 'shallow.gguf');
  await writeShallowStories(path);
  stories = await loadModel({ path });
});
afterAll(() => stories.close());

/** Nothing is left behind: everything that the engine has can be had at once. */
async function expectEmpty(engine: Engine): Promise<void> {
  const { maxSequences, contextSize } = engine.settings;
  (await engine.lease({ sequences: maxSequences, cells: contextSize })).release();
}

describe.each([1, 2, 4])('on an engine of %i sequences', maxSequences => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await stories.createEngine({ threads: 1, contextSize: 2048, maxSequences, beyondTraining: true });
  });
  afterAll(() => engine.close());

  test.each([...waysToAsk()])('%s finishes', async (_, question, options) => {
    const answer = await ask(engine, question, options);
    expect(answer.votes.notRun).toBe(0);
    expect(answer.plan.waves.every(count => count <= maxSequences)).toBe(true);
    await expectEmpty(engine);
  });
});

/** What must not depend on who else asks. */
const outcome = ({ samples, votes, decision, scores, plan }: Answer) => ({
  texts: samples.map(({ text, answer, forced }) => [text, answer, forced]),
  votes,
  decision,
  scores: scores && Object.keys(scores),
  waves: plan.waves,
});

describe('questions that share an engine', () => {
  const about = (i: number): Question => ({ ...choice, question: `Who was it, number ${i}?` });

  test.each([
    ['eight on eight sequences', 8, 8, { samples: 3, reask: false }],
    ['eight that are asked again, on eight sequences', 8, 8, { samples: 3, reask: true }],
    ['two that are asked again, on as few sequences as one of them takes', 2, 3, { samples: 3, reask: true, width: 2 }],
    ['three on a single sequence', 3, 1, { samples: 2, reask: true }],
    ['four with options in other orders', 4, 6, { samples: 4, shuffle: 'rotate', reask: true }],
  ] as const)('%s answer as each does alone', async (_, count, maxSequences, options) => {
    const given = { ...short, temperature: 0, stop: 'none', ...options } as const;
    await using engine = await stories.createEngine({ threads: 1, contextSize: 2048, maxSequences });
    const alone: Answer[] = [];
    for (let i = 0; i < count; i++) alone.push(await ask(engine, about(i), given));
    const together = await Promise.all(alone.map((_, i) => ask(engine, about(i), given)));
    expect(together.map(outcome)).toEqual(alone.map(outcome));
    await expectEmpty(engine);
  });

  test('of all kinds and sizes answer as each does alone', async () => {
    await using engine = await stories.createEngine({ threads: 1, contextSize: 2048, maxSequences: 6 });
    const ways = [...waysToAsk()].filter((_, i) => i % 3 === 0);
    const greedy = ways.map(
      ([, question, options]) =>
        [question, options.mode === 'top-token' ? options : { ...options, temperature: 0 }] as const,
    );
    const alone: Answer[] = [];
    for (const [question, options] of greedy) alone.push(await ask(engine, question, options));
    const together = await Promise.all(greedy.map(([question, options]) => ask(engine, question, options)));
    expect(together.map(outcome)).toEqual(alone.map(outcome));
    await expectEmpty(engine);
  });

  test('one that can never fit is refused with the numbers, and the others are answered', async () => {
    await using engine = await stories.createEngine({ threads: 1, contextSize: 512, maxSequences: 4 });
    const large: Question = { ...choice, question: 'Who was it? '.repeat(200) };
    const [refused, ...others] = await Promise.allSettled([
      ask(engine, large, short),
      ...[0, 1, 2].map(i => ask(engine, about(i), short)),
    ]);
    expect(refused).toMatchObject({
      reason: { code: 'ERR_CONTEXT_FULL', message: expect.stringMatching(/The prompt has \d+ tokens.*512 fit/) },
    });
    expect(others.map(other => other.status)).toEqual(['fulfilled', 'fulfilled', 'fulfilled']);
    await expectEmpty(engine);
  });

  test('one that gives up while it waits in line leaves no trace', async () => {
    await using engine = await stories.createEngine({ threads: 1, contextSize: 512, maxSequences: 4 });
    const lease = await engine.lease({ sequences: 4, cells: 512 });
    const controller = new AbortController();
    const waiting = ask(engine, choice, { ...short, signal: controller.signal });
    const late = ask(engine, choice, { ...short, deadline: 20 });
    controller.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
    expect(await late).toMatchObject({ decision: 'abstain', reason: 'deadline', votes: { notRun: 5 } });
    lease.release();
    await expectEmpty(engine);
  });
});

test('many orders of options, and many questions under one signal, make no warning of listeners', async () => {
  const warned: Error[] = [];
  const onWarning = (warning: Error) => warned.push(warning);
  process.on('warning', onWarning);
  try {
    await using engine = await stories.createEngine({ threads: 1, contextSize: 4096, maxSequences: 24 });
    const four: Question = { ...choice, options: ['a dog', 'a cat', 'a bird', 'a fish'] };
    const { signal } = new AbortController();
    const options = { ...short, maxTokens: 1, signal } as const;
    const answer = await ask(engine, four, { ...options, shuffle: 'seeded', samples: 22, width: 22, reask: false });
    expect(new Set(answer.samples.map(({ order }) => order!.join())).size).toBeGreaterThan(10);
    await Promise.all(
      Array.from({ length: 12 }, () => ask(engine, boolean, { ...options, mode: 'cot', until: signal })),
    );
    await new Promise(resolve => setImmediate(resolve)); // warnings come on the next turn
    expect(warned).toEqual([]);
  } finally {
    process.off('warning', onWarning);
  }
});

test('the model that ships: eight questions at once on eight sequences agree as each does alone', async () => {
  await using model = await loadModel({
    path: resolve(import.meta.dirname, '..', '..', 'models', 'meditron-mini.gguf'),
    gpuLayers: 0,
  });
  await using engine = await model.createEngine({ threads: 1, contextSize: 2048, maxSequences: 8 });
  const options = { hash: false, samples: 3, temperature: 0, maxTokens: 12, stop: 'none' } as const;
  const about = (i: number): Question => ({
    kind: 'choice',
    question: `A ${60 + i}-year-old man with hypertension and diabetes mellitus. What is the CHA2DS2-VASc score?`,
    options: ['1', '2', '3', '4'],
  });
  const alone: Answer[] = [];
  for (let i = 0; i < 8; i++) alone.push(await ask(engine, about(i), options));
  const together = await Promise.all(alone.map((_, i) => ask(engine, about(i), options)));
  expect(together.map(outcome)).toEqual(alone.map(outcome));
  await expectEmpty(engine);
});
