import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { launchNode } from '../../../src/host/launch.js';
import type { HostModel } from '../../../src/host/model.js';
import type { Launch } from '../../../src/host/transport.js';
import { ModelPool, type ModelPoolOptions } from '../../../src/server/pool/models.js';
import type { Use } from '../../../src/server/pool/pool.js';
import { childrenOf, until } from '../../cli/processes.js';
import { held, holdAt, holdable } from '../../host/hold.js';

const models = resolve(import.meta.dirname, '..', '..', '..', 'models');
const mini = resolve(models, 'meditron-mini.gguf');
const stories = resolve(models, 'stories260K.gguf');
const never = new AbortController().signal;

const poolOf = (more: Partial<ModelPoolOptions> = {}) =>
  ModelPool.of([mini, stories], {
    weights: { gpuLayers: 0 },
    engine: { threads: 1, contextSize: 512 },
    parallel: 4,
    maxQueue: 8,
    ...more,
  });

/** A pool in which a text may be so long that nobody sees its end, and as many tokens. */
const roomy = () => poolOf({ engine: { threads: 1, contextSize: 1 << 16, beyondTraining: true } });
const endless = 60_000;

const state = (pool: ModelPool) => pool.models.map(model => model.state);
const pidOf = ({ model }: Use) => (model as HostModel).pid!;

async function textOf({ engine }: Use, maxTokens = 4, signal = never): Promise<string> {
  let text = '';
  for await (const event of engine.generate({
    prompt: 'Once',
    samplers: [{ temperature: 0 }],
    maxTokens,
    ignoreEnd: true,
    signal,
  }))
    if (event.type === 'text') text += event.text;
  return text;
}

test('a model is loaded when it is first asked for, once for all who ask, in a process of its own', async () => {
  await using pool = await poolOf();
  expect(state(pool)).toEqual(['unloaded', 'unloaded']);
  const uses = await Promise.all([
    pool.use(undefined, never),
    pool.use('meditron-mini', never),
    pool.use('stories260k', never),
  ]);
  expect(uses.map(use => use.name)).toEqual(['meditron-mini', 'meditron-mini', 'stories260K']);
  expect(uses[0]!.engine).toBe(uses[1]!.engine);
  expect(new Set([process.pid, ...uses.map(pidOf)]).size).toBe(3);
  expect(pool.models.map(model => [model.state, model.loads, model.requests])).toEqual([
    ['loaded', 1, 2],
    ['loaded', 1, 1],
  ]);
  for (const use of uses) await use[Symbol.asyncDispose]();
  await uses[0]![Symbol.asyncDispose]();
  expect(pool.models.map(model => model.requests)).toEqual([0, 0]);
});

test('an unknown name is refused with those there are', async () => {
  await using pool = await poolOf();
  await expect(pool.use('gpt-4', never)).rejects.toMatchObject({
    code: 'ERR_UNKNOWN_MODEL',
    message: 'Expected `model` to be one of meditron-mini, stories260K, got "gpt-4"',
  });
  expect((await pool.add(mini)).name).toBe('meditron-mini');
  expect(pool.models).toHaveLength(2);
  await expect(pool.add(resolve(models, 'README.md'))).rejects.toMatchObject({ code: 'ERR_MODEL_FORMAT' });
  await expect(pool.add('nowhere.gguf')).rejects.toMatchObject({ code: 'ERR_MODEL_FILE' });
});

test('where memory is short, the least recently used leaves, and never one in use', async () => {
  let available = Number.POSITIVE_INFINITY;
  await using pool = await poolOf({ available: () => available });
  const used = await pool.use('meditron-mini', never);
  const pid = pidOf(used);
  available = 0;
  await (await pool.use('stories260K', never))[Symbol.asyncDispose]();
  expect(state(pool)).toEqual(['loaded', 'loaded']);
  expect(await textOf(used)).not.toBe('');
  await used[Symbol.asyncDispose]();
  await pool.unload('stories260K');
  await (await pool.use('stories260K', never))[Symbol.asyncDispose]();
  expect(state(pool)).toEqual(['unloaded', 'loaded']);
  await until(() => !childrenOf(process.pid).includes(pid));
  expect(pool.models[0]!.counters.sampledTokens).toBe(4);
});

test('mapped weights that are to stay in memory are taken, though the system counts them as available', async () => {
  await using pool = await poolOf({ available: () => 5e9 });
  const used = await pool.use('meditron-mini', never);
  Object.assign(used.model.info, { keptBytes: 4.5e9 }); // as of a larger model
  await used[Symbol.asyncDispose]();
  await (await pool.use('stories260K', never))[Symbol.asyncDispose]();
  expect(state(pool)).toEqual(['unloaded', 'loaded']);
});

test('what a model has used of its mapped weights, Windows counts as taken by itself', async () => {
  const on = (system: NodeJS.Platform) => {
    const here = process.platform;
    Object.defineProperty(process, 'platform', { value: system });
    try {
      return pool.models[0]!.keptBytes;
    } finally {
      Object.defineProperty(process, 'platform', { value: here });
    }
  };
  await using pool = await poolOf();
  expect([on('win32'), on('linux')]).toEqual([0, 0]);
  await using used = await pool.use('meditron-mini', never);
  Object.assign(used.model.info, { keptBytes: 4.5e9 });
  expect([on('win32'), on('linux')]).toEqual([4.5e9, 4.5e9]);
  expect(await textOf(used)).not.toBe('');
  expect([on('win32'), on('linux'), on('darwin')]).toEqual([0, 4.5e9, 4.5e9]);
});

test('with one model at once, whoever asks for another waits until nobody uses the first', async () => {
  await using pool = await poolOf({ maxModels: 1 });
  const used = await pool.use('meditron-mini', never);
  const gone = new AbortController();
  const other = pool.use('stories260K', never);
  const leaves = pool.use('stories260K', gone.signal);
  gone.abort(new Error('gone'));
  await expect(leaves).rejects.toThrow('gone');
  await expect(pool.use('stories260K', never, { waitMs: 1 })).rejects.toMatchObject({ code: 'ERR_BUSY' });
  expect(await textOf(used)).not.toBe('');
  expect(state(pool)).toEqual(['loaded', 'loading']);
  await used[Symbol.asyncDispose]();
  await using second = await other;
  expect(state(pool)).toEqual(['unloaded', 'loaded']);
  expect(await textOf(second)).not.toBe('');
});

test('a load that nobody waits for any more is stopped, and the next who asks gets the model', async () => {
  await using pool = await poolOf();
  const [first, second] = [new AbortController(), new AbortController()];
  const both = [pool.use(undefined, first.signal), pool.use(undefined, second.signal)];
  first.abort(new Error('gone'));
  await expect(both[0]).rejects.toThrow('gone');
  expect(state(pool)[0]).toBe('loading');
  second.abort(new Error('gone too'));
  const next = pool.use(undefined, never);
  await expect(both[1]).rejects.toThrow('gone too');
  await using use = await next;
  expect(await textOf(use)).not.toBe('');
  expect(pool.models[0]).toMatchObject({ state: 'loaded', requests: 1 });
});

test('a death fails what ran, is counted, and the next who asks is answered', async () => {
  const hold = join(mkdtempSync(join(tmpdir(), 'meditron-pool-')), 'hold');
  const launch: Launch = options => launchNode({ ...options, env: { ...options.env, ...holdable(hold, options.env) } });
  await using pool = await poolOf({ isolate: { launch } });
  const use = await pool.use('stories260K', never);
  holdAt(hold, 'text');
  const text = textOf(use);
  text.catch(() => {});
  await held(hold);
  process.kill(pidOf(use), 'SIGSEGV');
  await expect(text).rejects.toMatchObject({ code: 'ERR_ENGINE_DIED' });
  await use[Symbol.asyncDispose]();
  await using next = await pool.use('stories260K', never);
  expect(await textOf(next)).not.toBe('');
  expect(pool.models[1]).toMatchObject({ deaths: 1, loads: 1 });
});

test('who goes on without a GPU gets the model once more, unless layers were put on one by number', async () => {
  await using pool = await poolOf({ weights: {} });
  await using use = await pool.use('stories260K', never);
  const again = await use.loadOnCpu!();
  expect(pidOf({ ...use, model: again })).not.toBe(pidOf(use));
  expect(again.info.devices.map(({ type }) => type)).toEqual(['cpu']);
  await again.close();
  await using chosen = await poolOf();
  await using other = await chosen.use('stories260K', never);
  expect(other.loadOnCpu).toBeUndefined();
});

test('a request that leaves frees its sequences within a step', async () => {
  await using pool = await roomy();
  await using use = await pool.use('stories260K', never);
  const gone = new AbortController();
  const text = textOf(use, endless, gone.signal);
  await until(() => use.engine.takenSequences === 1);
  gone.abort(new Error('gone'));
  await expect(text).rejects.toThrow('gone');
  await until(() => use.engine.takenSequences === 0);
  expect(use.engine.counters.sampledTokens).toBeLessThan(endless);
  const all = { sequences: use.engine.settings.maxSequences, cells: use.engine.settings.contextSize };
  (await use.engine.lease(all)).release();
});

test('more requests than sequences wait in line, tokenizing does not, and one too many is refused', async () => {
  await using pool = await poolOf({ parallel: 1, maxQueue: 1 });
  const first = await pool.use('stories260K', never);
  const second = pool.use('stories260K', never);
  await expect(pool.use('stories260K', never)).rejects.toMatchObject({ code: 'ERR_QUEUE_FULL' });
  expect(pool.models[1]).toMatchObject({ requests: 1, waiting: 1 });
  await using light = await pool.use('stories260K', never, { computes: false });
  expect((await light.model.tokenize('Once')).length).toBeGreaterThan(0);
  await first[Symbol.asyncDispose]();
  await (await second)[Symbol.asyncDispose]();
});

test('a pool that is closed ends what runs and leaves no process', async () => {
  const pool = await roomy();
  const use = await pool.use('stories260K', never);
  const loading = pool.use('meditron-mini', never);
  const text = textOf(use, endless);
  text.catch(() => {});
  loading.catch(() => {});
  await until(() => use.engine.takenSequences === 1);
  const pid = pidOf(use);
  await pool[Symbol.asyncDispose]();
  await expect(text).rejects.toMatchObject({ code: 'ERR_CLOSED' });
  await expect(loading).rejects.toMatchObject({ code: 'ERR_CLOSED' });
  await expect(pool.use('stories260K', never)).rejects.toMatchObject({ code: 'ERR_CLOSED' });
  await until(() => !childrenOf(process.pid).includes(pid));
});
