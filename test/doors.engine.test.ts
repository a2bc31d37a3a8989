import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import * as index from '../src/index.js';
import { Held, Lease, MeditronError } from '../src/index.js';
import { all, exact, storiesPath } from './engine/stories.js';

/** Values that no door expects. */
const hostile: Readonly<Record<string, unknown>> = {
  undefined: undefined,
  null: null,
  NaN: Number.NaN,
  'a negative number': -1,
  'a huge number': 1e99,
  'a bigint': 10n,
  'an empty text': '',
  'a text': 'x',
  true: true,
  'a symbol': Symbol('x'),
  'an empty array': [],
  'an array of null': [null],
  'an empty object': {},
  'an object without prototype': Object.create(null),
  'an unknown option': { noSuchOption: 1 },
  'a function': () => undefined,
  'a Map': new Map([[1, null]]),
  'a typed array': new Float64Array([1, Number.NaN]),
  'an array of itself': cycle(),
};

function cycle(): unknown[] {
  const list: unknown[] = [];
  list.push(list);
  return list;
}

/** One public function: what it is called with when all is well, and the keys of its options, which stand last. */
interface Door {
  readonly call: (...args: never[]) => unknown;
  readonly args: readonly unknown[];
  readonly keys?: readonly string[];
}

const folder = mkdtempSync(join(tmpdir(), 'meditron-doors-'));
process.env.MEDITRON_STATE = join(folder, 'state');

let model: index.Model;
let engine: index.Engine;
let closed: { model: index.Model; engine: index.Engine; held: Held; lease: Lease };

beforeAll(async () => {
  model = await index.loadModel({ path: storiesPath });
  engine = await model.createEngine({ ...exact, contextSize: 512, maxSequences: 4 });
  const other = await index.loadModel({ path: storiesPath });
  const lease = await engine.lease({ sequences: 1, cells: 32 });
  const held = await engine.prefix('Once', { lease });
  closed = { model: other, engine: await other.createEngine(exact), held, lease };
  held.release();
  lease.release();
  await closed.engine.close();
  await other.close();
});

afterAll(async () => {
  await engine.close();
  await model.close();
  rmSync(folder, { recursive: true });
});

/** A door of the engine may not be left open: what it gives is let go. */
async function settle(made: unknown): Promise<void> {
  const value = await made;
  if (value instanceof Held || value instanceof Lease) value.release();
  else if (value instanceof index.Model || value instanceof index.Engine) await value.close();
  else if (typeof value === 'object' && value !== null && Symbol.asyncIterator in value)
    await all(value as AsyncIterable<never>);
}

/** Null if the call ends in a value or in an error of ours, else what went wrong. */
async function fault(call: () => unknown): Promise<string | null> {
  try {
    await settle(call());
    return null;
  } catch (error) {
    if (error instanceof MeditronError && error.code in index.exitCodes) return null;
    return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  }
}

const question = { kind: 'choice', question: 'Which?', options: ['one', 'two'] } as const;
const prompt = 'Once';

const doors: Readonly<Record<string, () => Door>> = {
  loadModel: () => ({
    call: index.loadModel,
    args: [{ path: storiesPath }],
    keys: ['path', 'gpuLayers', 'loadMode', 'lock', 'onProgress', 'signal'],
  }),
  'Model.tokenize': () => ({
    call: (...args) => model.tokenize(...(args as unknown as [string])),
    args: [prompt, {}],
    keys: ['bos', 'inside', 'maxTokens', 'signal'],
  }),
  'Model.detokenize': () => ({
    call: (...args) => model.detokenize(...(args as unknown as [Int32Array])),
    args: [Int32Array.of(300), {}],
    keys: ['special'],
  }),
  'Model.continuation': () => ({
    call: (...args) => model.continuation(...(args as unknown as [Int32Array, string])),
    args: [Int32Array.of(300), ' a'],
  }),
  'Model.special': () => ({ call: text => model.special(text), args: ['<s>'] }),
  'Model.createEngine': () => ({
    call: options => model.createEngine(options),
    args: [{ ...exact }],
    keys: [
      'contextSize',
      'maxSequences',
      'batchSize',
      'threads',
      'adaptThreads',
      'poll',
      'kvType',
      'flashAttention',
      'kernels',
      'loras',
      'beyondTraining',
      'checkMemory',
    ],
  }),
  'Engine.generate': () => ({
    call: options => engine.generate(options),
    args: [{ prompt, maxTokens: 2 }],
    keys: [
      'prompt',
      'samplers',
      'seed',
      'maxTokens',
      'stop',
      'stopTokens',
      'ends',
      'signal',
      'logprobs',
      'bos',
      'ignoreEnd',
      'from',
      'lease',
      'hold',
    ],
  }),
  'Engine.score': () => ({
    call: options => engine.score(options),
    args: [{ prompt, continuations: [' a'] }],
    keys: ['prompt', 'continuations', 'signal', 'bos', 'from', 'lease'],
  }),
  'Engine.prefix': () => ({
    call: (...args) => engine.prefix(...(args as unknown as [string])),
    args: [prompt, {}],
    keys: ['signal', 'bos', 'from', 'lease'],
  }),
  'Engine.savePrefix': () => ({
    call: async (path: unknown, ...rest: never[]) => {
      using held = await engine.prefix(prompt);
      await engine.savePrefix(held, typeof path === 'string' ? join(folder, path) : (path as string), ...rest);
    },
    args: ['prefix', {}],
    keys: ['signal'],
  }),
  'Engine.savePrefix, what it saves': () => ({
    call: async (held: unknown) => {
      using whole = await engine.prefix(prompt);
      await engine.savePrefix(held === prompt ? whole : (held as Held), join(folder, 'prefix'));
    },
    args: [prompt],
  }),
  'Engine.restorePrefix': () => ({
    call: (...args) => engine.restorePrefix(...(args as unknown as [string])),
    args: [join(folder, 'prefix'), {}],
    keys: ['signal', 'lease'],
  }),
  'Engine.lease': () => ({
    call: (...args) => engine.lease(...(args as unknown as [index.LeaseSize])),
    args: [{ sequences: 1, cells: 1 }, {}],
    keys: ['signal'],
  }),
  'Engine.lease, its size': () => ({
    call: size => engine.lease(size),
    args: [{ sequences: 1, cells: 1 }],
    keys: ['sequences', 'cells'],
  }),
  'Held.first': () => ({
    call: async count => {
      using held = await engine.prefix(prompt);
      return held.first(count).tokenCount;
    },
    args: [1],
  }),
  ask: () => ({ call: index.ask, args: [engine, question, { mode: 'top-token', format: 'one-shot' }] }),
  askStream: () => ({
    call: async (...args) => {
      const events = index.askStream(...(args as unknown as Parameters<typeof index.askStream>));
      for (let next = await events.next(); !next.done; next = await events.next());
    },
    args: [engine, question, { mode: 'top-token', format: 'one-shot' }],
  }),
  answererOf: () => ({ call: index.answererOf, args: [engine] }),
  roomFor: () => ({ call: index.roomFor, args: [model, question, { format: 'one-shot' }] }),
  measuredWidth: () => ({
    call: index.measuredWidth,
    args: [model, 5, {}],
    keys: ['engine', 'again', 'signal', 'onMeasure'],
  }),
  replay: () => ({ call: index.replay, args: [{}, { path: storiesPath }] }),
  replayOn: () => ({ call: index.replayOn, args: [engine, {}, {}] }),
  panel: () => ({
    call: index.panel,
    args: [
      [{ path: storiesPath }, { path: join(folder, 'none.gguf') }],
      question,
      { mode: 'top-token', format: 'one-shot' },
    ],
    keys: ['load', 'engine', 'measured', 'onEvent'],
  }),
  panelVerdict: () => ({
    call: index.panelVerdict,
    args: [[{ family: 'a', heard: true, answer: null }], 'aborted'],
  }),
  replayPanel: () => ({ call: index.replayPanel, args: [{}, { modelPaths: [storiesPath] }] }),
  hashFile: () => ({ call: index.hashFile, args: [storiesPath, {}] }),
  inspectFile: () => ({ call: index.inspectFile, args: [storiesPath, {}] }),
  formatForModel: () => ({ call: index.formatForModel, args: [{ name: 'meditron' }] }),
  formatByName: () => ({ call: index.formatByName, args: ['one-shot'] }),
  chooseDemonstrations: () => ({ call: index.chooseDemonstrations, args: [[], 0, 1] }),
  buildPrompt: () => ({
    call: index.buildPrompt,
    args: [index.formatByName('one-shot'), { question, mode: 'cot', protocol: 'strict' }],
    keys: ['question', 'mode', 'protocol'],
  }),
  parseQuestion: () => ({ call: index.parseQuestion, args: [question] }),
  parseQuestionText: () => ({ call: index.parseQuestionText, args: ['Which?\nA. one\nB. two'] }),
  readQuestionText: () => ({ call: index.readQuestionText, args: ['Which?\nA. one\nB. two'] }),
  readCalibration: () => ({ call: index.readCalibration, args: [{}] }),
  splitThinking: () => ({ call: index.splitThinking, args: ['<think>so</think>A', false] }),
  extract: () => ({ call: index.extract, args: ['The answer is: A', 'strict', { kind: 'letter', count: 2 }] }),
  vote: () => ({ call: index.vote, args: [[{ index: 0, answer: 'A' }], 3] }),
  settled: () => ({ call: index.settled, args: [[{ index: 0, answer: 'A' }], 3] }),
  stopping: () => ({ call: index.stopping, args: [{ rule: 'exact' }, [{ index: 0, answer: 'A' }], 3] }),
  summarize: () => ({ call: index.summarize, args: [[{ index: 0, answer: 'A' }], 3, {}] }),
  mergeRankings: () => ({ call: index.mergeRankings, args: [[{ index: 0, items: ['a', 'b'] }], {}] }),
  placePrior: () => ({ call: index.placePrior, args: [[[0.5, 0.5]]] }),
  wilson: () => ({ call: index.wilson, args: [1, 2] }),
};

test('every public function has its row here', () => {
  const functions = Object.entries(index).filter(([, value]) => typeof value === 'function');
  const plain = functions.filter(([name]) => !/^[A-Z]/.test(name)).map(([name]) => name);
  expect(plain.filter(name => !(name in doors))).toEqual([]);
});

describe.each(Object.keys(doors))('%s', name => {
  test('takes what it should', async () => {
    const { call, args } = doors[name]!();
    expect(await fault(() => call(...(args as never[])))).toBeNull();
  });

  test('answers anything else with a value or an error that has a code', async () => {
    const { call, args, keys = [] } = doors[name]!();
    const faults: string[] = [];
    for (const [what, value] of Object.entries(hostile)) {
      for (let at = 0; at < args.length; at++) {
        const given = args.map((arg, i) => (i === at ? value : arg));
        const wrong = await fault(() => call(...(given as never[])));
        if (wrong) faults.push(`argument ${at} is ${what}: ${wrong}`);
      }
      for (const key of [...keys, 'noSuchOption']) {
        const last = args.at(-1);
        if (typeof last !== 'object' || last === null || Array.isArray(last)) continue;
        const given = [...args.slice(0, -1), { ...last, [key]: value }];
        const wrong = await fault(() => call(...(given as never[])));
        if (wrong) faults.push(`${key} is ${what}: ${wrong}`);
      }
    }
    expect(faults).toEqual([]);
  });
});

/** What takes a number, one of a few words or a path shows what came instead; no text of a patient belongs there. */
const showsWhatCame =
  /to be (an integer|a number|one of|"never"|an address)|Unknown prompt format|: expected a readable file|ENOENT/;

test('no door repeats a text that could be a patient’s', async () => {
  const words = randomBytes(32).toString('base64url');
  const repeated: string[] = [];
  const knock = async (name: string, call: () => unknown) => {
    try {
      await settle(call());
    } catch (error) {
      const told = inspect(error, { depth: 9, showHidden: true });
      if (told.includes(words.slice(0, 8)) && !showsWhatCame.test(told)) repeated.push(`${name}: ${told}`);
    }
  };
  for (const [name, door] of Object.entries(doors)) {
    const { call, args, keys = [] } = door();
    for (let at = 0; at < args.length; at++)
      for (const value of [words, [words], { [words]: words }, { text: words }])
        await knock(`${name}, argument ${at}`, () =>
          call(...(args.map((arg, i) => (i === at ? value : arg)) as never[])),
        );
    const last = args.at(-1);
    if (typeof last !== 'object' || last === null || Array.isArray(last)) continue;
    for (const key of [...keys, words])
      for (const value of [words, [words], { [words]: words }, [{ text: words }]])
        await knock(`${name}, ${key}`, () => call(...([...args.slice(0, -1), { ...last, [key]: value }] as never[])));
  }
  expect(repeated).toEqual([]);
});

test('what is closed says so at every door', async () => {
  const { model: shut, engine: ended, held, lease } = closed;
  const codes = await Promise.all(
    [
      () => shut.tokenize('a'),
      () => shut.detokenize(Int32Array.of(300)),
      () => shut.continuation(Int32Array.of(300), 'a'),
      () => shut.createEngine(),
      () => all(ended.generate({ prompt })),
      () => ended.score({ prompt, continuations: ['a'] }),
      () => ended.prefix(prompt),
      () => ended.lease({ sequences: 1, cells: 1 }),
      () => all(engine.generate({ prompt, from: held })),
      () => engine.score({ prompt, continuations: ['a'], from: held }),
      () => engine.prefix(prompt, { from: held }),
      () => engine.savePrefix(held, join(folder, 'closed')),
      () => engine.restorePrefix(join(folder, 'prefix'), { lease }),
      () => ended.restorePrefix(join(folder, 'prefix')),
      () => all(engine.generate({ prompt, lease })),
      () => index.ask(ended, question, { mode: 'top-token', format: 'one-shot' }),
    ].map(async call => {
      try {
        await settle(call());
        return 'nothing';
      } catch (error) {
        return error instanceof MeditronError ? error.code : String(error);
      }
    }),
  );
  expect(codes).toEqual(codes.map(() => 'ERR_CLOSED'));
  await shut.close();
  await ended.close();
  held.release();
  lease.release();
});

test('a progress listener that throws ends the load with its error', async () => {
  const error = new Error('no room on the screen');
  const loading = index.loadModel({
    path: storiesPath,
    onProgress: () => {
      throw error;
    },
  });
  await expect(loading).rejects.toBe(error);
});

test('a signal that many jobs share has one listener of ours', async () => {
  const warnings: Error[] = [];
  const listener = (warning: Error) => warnings.push(warning);
  process.on('warning', listener);
  const { signal } = new AbortController();
  await Promise.all(Array.from({ length: 30 }, () => all(engine.generate({ prompt, maxTokens: 2, signal }))));
  await new Promise(resolve => setImmediate(resolve));
  process.off('warning', listener);
  expect(warnings).toEqual([]);
});
