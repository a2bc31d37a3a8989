import { afterAll, beforeAll, expect, test } from 'vitest';
import { availableCores } from '../../src/engine/capacity/cores.js';
import type { Engine } from '../../src/engine/engine.js';
import type { GenerateEvent } from '../../src/engine/jobs/generation.js';
import type { Model } from '../../src/engine/model.js';
import { turn } from '../../src/engine/turn.js';
import { loadModel } from '../../src/host/load.js';
import { all, endless, ends, exact, golden, loadStories, roomy, storiesPath, textOf } from './stories.js';

let model: Model;
let engine: Engine;

beforeAll(async () => {
  model = await loadStories();
  engine = await model.createEngine(exact);
});

afterAll(async () => {
  await engine.close();
  await model.close();
});

const long = { prompt: `${'Once upon a time there was a dog. '.repeat(40)}`, maxTokens: 20 };

test('a signal that is already aborted is honoured before anything is done', async () => {
  const reason = new Error('no');
  await expect(all(engine.generate({ prompt: 'Once', signal: AbortSignal.abort(reason) }))).rejects.toBe(reason);
  await expect(engine.score({ prompt: 'Once', continuations: ['a'], signal: AbortSignal.abort(reason) })).rejects.toBe(
    reason,
  );
  await expect(loadModel({ path: storiesPath, signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
});

test('an abort in the middle of a prompt throws the reason, and the next job is not disturbed', async () => {
  await using slow = await model.createEngine({ ...exact, batchSize: 16 });
  for (const after of [1, 2, 5]) {
    const controller = new AbortController();
    let seen = 0;
    const run = (async () => {
      for await (const event of slow.generate({ ...long, signal: controller.signal })) {
        if (event.type === 'prompt' && ++seen === after) controller.abort(new Error('stop'));
      }
    })();
    await expect(run).rejects.toThrow('stop');
    expect(seen).toBe(after);
  }
  const [end] = await ends(slow.generate({ prompt: '', maxTokens: 200 }));
  expect(end!.text.trimEnd()).toBe(golden);
});

test('unfinished samples end as cancelled, with what there is of them, before the reason is thrown', async () => {
  const controller = new AbortController();
  const events: GenerateEvent[] = [];
  const run = (async () => {
    const samplers = [{}, { temperature: 1 }, { temperature: 1 }];
    for await (const event of engine.generate({
      prompt: 'Once',
      samplers,
      maxTokens: 300,
      ignoreEnd: true,
      signal: controller.signal,
    })) {
      events.push(event);
      if (events.length === 40) controller.abort(new Error('enough'));
    }
  })();
  await expect(run).rejects.toThrow('enough');
  const cancelled = events.filter(event => event.type === 'end');
  expect(cancelled.map(end => end.finish)).toEqual(['cancelled', 'cancelled', 'cancelled']);
  for (const end of cancelled) {
    expect(end.text).toBe(textOf(events, end.sample));
    expect(await model.detokenize(Int32Array.from([...(await model.tokenize('Once')), ...end.tokens]))).toContain(
      end.text,
    );
  }
});

test('aborting one job at any moment leaves the text of the others as it is', async () => {
  const [alone] = await ends(engine.generate({ prompt: 'The doctor said', maxTokens: 60 }));
  for (let i = 0; i < 30; i++) {
    const controller = new AbortController();
    const aborted = all(engine.generate({ ...long, signal: controller.signal })).catch(error => error.name);
    setTimeout(() => controller.abort(), i / 3);
    const [end] = await ends(engine.generate({ prompt: 'The doctor said', maxTokens: 60 }));
    expect(end!.text).toBe(alone!.text);
    expect(['AbortError', 'object']).toContain(typeof (await aborted) === 'string' ? await aborted : 'object');
  }
});

test('a waiting job can be aborted', async () => {
  await using small = await model.createEngine({ ...roomy, maxSequences: 1 });
  const short = { prompt: 'Once', maxTokens: 100 };
  const running = small.generate(endless);
  await running.next();
  const controller = new AbortController();
  const second = all(small.generate({ ...short, signal: controller.signal }));
  const third = ends(small.generate(short));
  await model.tokenize('and'); // after those of the two, which are queued now
  controller.abort(new Error('tired of waiting'));
  await expect(second).rejects.toThrow('tired of waiting');
  await running.return();
  expect((await third)[0]!.text).toBe((await ends(small.generate(short)))[0]!.text);
});

test('loading can be cancelled', async () => {
  const controller = new AbortController();
  const loading = loadModel({
    path: storiesPath,
    signal: controller.signal,
    onProgress: () => controller.abort(new Error('changed my mind')),
  });
  await expect(loading).rejects.toThrow('changed my mind');
});

test('loading tells its progress, up to the end', async () => {
  const seen: number[] = [];
  const other = await loadModel({ path: storiesPath, onProgress: fraction => seen.push(fraction) });
  await other.close();
  expect(seen.at(-1)).toBe(1);
  expect([...seen].sort((a, b) => a - b)).toEqual(seen);
});

test('closing the engine ends what runs and what waits with ERR_CLOSED', async () => {
  const short = await model.createEngine({ ...roomy, maxSequences: 1 });
  const events = short.generate(endless);
  await events.next();
  const running = all(events);
  const waiting = all(short.generate({ prompt: 'Once', maxTokens: 400 }));
  const scoring = short.score({ prompt: 'Once', continuations: ['a'] });
  await model.tokenize('and'); // after those of the two, which are queued now
  void short.close();
  const ended = [running, waiting, scoring].map(job => expect(job).rejects.toMatchObject({ code: 'ERR_CLOSED' }));
  await Promise.all(ended);
  await expect(all(short.generate({ prompt: 'Once' }))).rejects.toMatchObject({ code: 'ERR_CLOSED' });
  await short.close();
});

test('a closed model refuses, while its engines go on', async () => {
  const other = await loadStories();
  const alive = await other.createEngine(exact);
  const prompt = await other.tokenize('Once upon a time');
  await other.close();
  await expect(other.tokenize('a')).rejects.toMatchObject({ code: 'ERR_CLOSED' });
  await expect(other.createEngine()).rejects.toMatchObject({ code: 'ERR_CLOSED' });
  const [end] = await ends(alive.generate({ prompt, maxTokens: 10 }));
  const [same] = await ends(engine.generate({ prompt, maxTokens: 10 }));
  expect(end!.text).toBe(same!.text);
  await alive.close();
});

test('engines whose threads together exceed the cores take turns, in the order they asked', async () => {
  const done: number[] = [];
  let running = 0;
  await Promise.all(
    [1, 2, 3, 4].map(i =>
      turn.run(4096, async () => {
        expect(++running).toBe(1);
        await new Promise(resolve => setTimeout(resolve, 5));
        running--;
        done.push(i);
      }),
    ),
  );
  expect(done).toEqual([1, 2, 3, 4]);
});

test('more engines than cores compute at once, and each gets its own text', async () => {
  const engines = await Promise.all(Array.from({ length: availableCores() + 1 }, () => model.createEngine(exact)));
  const texts = await Promise.all(
    engines.map(async each => (await ends(each.generate({ prompt: '', maxTokens: 60 })))[0]!.text),
  );
  expect(new Set(texts).size).toBe(1);
  expect(golden.startsWith(texts[0]!)).toBe(true);
  await Promise.all(engines.map(each => each.close()));
});

test('a turn is given back when the work fails', async () => {
  await expect(turn.run(4096, () => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
  expect(await turn.run(4096, () => Promise.resolve('next'))).toBe('next');
});
