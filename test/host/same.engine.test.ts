import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Engine } from '../../src/engine/engine.js';
import type { Held } from '../../src/engine/held.js';
import type { GenerateEvent, SampleEnd } from '../../src/engine/jobs/generation.js';
import type { GenerateOptions } from '../../src/engine/jobs/options.js';
import type { Model } from '../../src/engine/model.js';
import type { EngineCounters } from '../../src/engine/settings.js';
import { loadModel } from '../../src/host/load.js';
import type { HostModel } from '../../src/host/model.js';
import { endless, storiesPath as path, roomy } from '../engine/stories.js';

// Every call, on both sides of the process boundary, on one thread: what comes back is the same.

const folder = mkdtempSync(join(tmpdir(), 'meditron-same-'));
process.env.MEDITRON_STATE = join(folder, 'state');

let models: readonly Model[];
let engines: readonly Engine[];

beforeAll(async () => {
  models = [await loadModel({ path }), await loadModel({ path, isolate: true })];
  engines = await Promise.all(models.map(m => m.createEngine({ contextSize: 512, maxSequences: 6, threads: 1 })));
});
afterAll(async () => {
  for (const engine of engines) await engine.close();
  for (const model of models) await model.close();
  rmSync(folder, { recursive: true });
});

/** What both give, or throw. */
async function both<T>(work: (engine: Engine) => Promise<T>): Promise<[unknown, unknown]> {
  const outcome = async (engine: Engine) => {
    try {
      return await work(engine);
    } catch (error) {
      const { name, code, message } = error as Error & { code?: string };
      return { name, code, message };
    }
  };
  return [await outcome(engines[0]!), await outcome(engines[1]!)];
}

async function same<T>(work: (engine: Engine) => Promise<T>): Promise<unknown> {
  const [direct, isolated] = await both(work);
  expect(isolated).toEqual(direct);
  return direct;
}

const endsOf = async (engine: Engine, options: GenerateOptions) => {
  const ends: Omit<SampleEnd, 'held'>[] = [];
  const texts: string[] = [];
  for await (const event of engine.generate(options)) {
    if (event.type === 'text') texts[event.sample] = (texts[event.sample] ?? '') + event.text;
    if (event.type !== 'end') continue;
    const { held, ...end } = event;
    ends.push(end);
    held?.release();
  }
  return { ends: ends.sort((a, b) => a.sample - b.sample), texts };
};

test('the description of a model', async () => {
  const [direct, isolated] = models.map(({ info }) => ({ ...info, devices: info.devices.map(d => d.name) }));
  expect(isolated).toEqual(direct);
  expect(engines[1]!.settings).toEqual(engines[0]!.settings);
});

test('what is counted; and where the time of steps went, of which no part is counted twice', async () => {
  await same(async engine => {
    const before = { ...engine.counters };
    const from = performance.now();
    await endsOf(engine, { prompt: 'Once upon a time', samplers: [{}, {}, {}], maxTokens: 60, ignoreEnd: true });
    const microseconds = (performance.now() - from) * 1000;
    const names = Object.keys(before) as (keyof EngineCounters)[];
    const counted = new Map(names.map(name => [name, engine.counters[name] - before[name]]));
    const times = names.filter(name => name.endsWith('Microseconds'));
    for (const name of times) expect(counted.get(name)).toBeGreaterThan(0);
    const parts = times.filter(name => name !== 'processorMicroseconds'); // which goes on meanwhile, on all threads
    expect(parts.reduce((sum, name) => sum + counted.get(name)!, 0)).toBeLessThanOrEqual(microseconds);
    return names.filter(name => !times.includes(name)).map(name => [name, counted.get(name)]);
  });
});

const cases: Record<string, GenerateOptions> = {
  greedy: { prompt: 'Once upon a time', maxTokens: 60 },
  'five samples with log-probabilities': {
    prompt: 'Once upon a time',
    samplers: Array.from({ length: 5 }, () => ({ temperature: 0.8 })),
    seed: 7,
    maxTokens: 40,
    logprobs: true,
  },
  'the most probable tokens, of the prompt too': {
    prompt: 'Once upon a time',
    maxTokens: 20,
    topLogprobs: 3,
    promptLogprobs: true,
    stop: ['Lily'],
  },
  'stop strings': { prompt: 'Once upon a time', maxTokens: 60, stop: ['Lily', 'park'] },
  'a grammar and a bias': {
    prompt: 'Once',
    maxTokens: 8,
    samplers: [{ grammar: 'root ::= [a-z ]+', logitBias: new Map([[261, -5]]) }],
  },
  'held samples': { prompt: 'Once upon a time', samplers: [{}, { temperature: 1 }], maxTokens: 9, hold: true },
  'token ids': { prompt: Int32Array.of(1, 403, 407), maxTokens: 5, bos: 'never' },
  'what is too long': { prompt: 'Once', maxTokens: 5000 },
  'a malformed grammar': { prompt: 'Once', samplers: [{ grammar: 'root ::= (' }] },
  'an id beyond the vocabulary': { prompt: Int32Array.of(1_000_000) },
  'too many samples': { prompt: 'Once', samplers: Array.from({ length: 50 }, () => ({})) },
  'an unknown option': { prompt: 'Once', temperature: 1 } as unknown as GenerateOptions,
};
for (const [name, options] of Object.entries(cases)) {
  test(`generate: ${name}`, async () => {
    await same(engine => endsOf(engine, options));
  });
}

test('score, alone and from a prefix, within a lease', async () => {
  await same(engine => engine.score({ prompt: 'Once upon', continuations: [' a', ' time', Int32Array.of(300, 301)] }));
  await same(async engine => {
    using lease = await engine.lease({ sequences: 4, cells: 200 });
    using held = await engine.prefix('Once upon a time', { lease });
    const half = held.first(3);
    return {
      size: lease.size,
      facts: [held.tokenCount, held.pending, held.cells, half.tokenCount],
      whole: await engine.score({ prompt: ' there', from: held, lease, continuations: [' was', ' is'] }),
      part: await endsOf(engine, { prompt: ' dog', from: half, lease, maxTokens: 5 }),
    };
  });
});

test('a prefix that one saved, the other restores', async () => {
  const file = join(folder, 'prefix');
  const restored = async (engine: Engine) => {
    using held = await engine.restorePrefix(file);
    const facts = [held.tokenCount, held.pending, held.cells];
    return { facts, ...(await endsOf(engine, { prompt: ' dog', from: held, maxTokens: 20, logprobs: true })) };
  };
  for (const engine of engines) {
    using held = await engine.prefix('Once upon a time there was');
    await engine.savePrefix(held, file);
    await same(restored);
  }
  await same(async engine => {
    using held = await engine.prefix('Once');
    await engine.savePrefix(held.first(1), file);
  });
  await same(engine => engine.restorePrefix(join(folder, 'none')));
  writeFileSync(file, readFileSync(file).subarray(1));
  await same(engine => engine.restorePrefix(file));
});

test('a restored prefix outlives its process: the next one evaluates it again', async () => {
  const [direct, isolated] = engines as [Engine, Engine];
  const file = join(folder, 'again');
  const go = (engine: Engine, from: Held) => endsOf(engine, { prompt: ' dog', from, maxTokens: 20 });
  using held = await direct.prefix('Once upon a time there was');
  await direct.savePrefix(held, file);
  using restored = await isolated.restorePrefix(file);
  rmSync(file);
  process.kill((models[1] as HostModel).pid!, 'SIGKILL');
  expect(await go(isolated, restored)).toEqual(await go(direct, held));
});

test('what is released, foreign or closed is refused alike', async () => {
  await same(async engine => {
    const held = await engine.prefix('Once');
    held.release();
    held.release();
    return endsOf(engine, { prompt: 'a', from: held });
  });
  await same(async engine => {
    const lease = await engine.lease({ sequences: 1, cells: 10 });
    lease.release();
    return endsOf(engine, { prompt: 'a', lease });
  });
  await same(async engine => {
    const other = engines.find(each => each !== engine)!;
    using held = await other.prefix('Once');
    return endsOf(engine, { prompt: 'a', from: held });
  });
});

test('text to tokens and back', async () => {
  const [direct, isolated] = models as [Model, Model];
  for (const text of ['', 'Once upon a time', 'é\u{1F600}\u0000', '<s>']) {
    const ids = await direct.tokenize(text);
    expect(await isolated.tokenize(text)).toEqual(ids);
    expect(await isolated.detokenize(ids, { special: true })).toBe(await direct.detokenize(ids, { special: true }));
    expect(await isolated.continuation(ids, ' A')).toEqual(await direct.continuation(ids, ' A'));
  }
  expect(await isolated.special('<s>')).toBe(await direct.special('<s>'));
  expect((await isolated.devices()).map(d => d.name)).toEqual((await direct.devices()).map(d => d.name));
});

test('an abort hands out what there is, then throws the reason', async () => {
  await using unused = await models[0]!.createEngine(roomy);
  const fresh = await endsOf(unused, { prompt: 'Once', maxTokens: 3 });
  const outcome = async (engine: Engine) => {
    const controller = new AbortController();
    const reason = new Error('enough');
    const events: GenerateEvent[] = [];
    try {
      for await (const event of engine.generate({ ...endless, signal: controller.signal })) {
        events.push(event);
        if (event.type === 'text') controller.abort(reason);
      }
    } catch (error) {
      const last = events.at(-1)!;
      return { same: error === reason, last: last.type === 'end' ? last.finish : last.type };
    }
    return 'not aborted';
  };
  for (const model of models) {
    await using engine = await model.createEngine(roomy);
    expect(await outcome(engine)).toEqual({ same: true, last: 'cancelled' });
    expect(await endsOf(engine, { prompt: 'Once', maxTokens: 3 })).toEqual(fresh); // it is as before
  }
});
