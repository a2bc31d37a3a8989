import { resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { replayPanel } from '../../../src/panel/record/replay.js';
import { makeApp } from '../../../src/server/app.js';
import { meditronRoutes } from '../../../src/server/meditron/routes.js';
import { ModelPool } from '../../../src/server/pool/models.js';
import { type Json, jsonOf, mini, newId, question, type Send, sendTo, stories } from './served.js';

const seed = resolve(import.meta.dirname, '..', '..', 'fixtures', 'mini-seed-1.gguf');

let pool: ModelPool;
let send: Send;
const closing: (() => Promise<void>)[] = [];
beforeAll(async () => {
  pool = await ModelPool.of([mini, seed, stories], {
    weights: { gpuLayers: 0 },
    engine: { threads: 1, contextSize: 1024 },
    parallel: 4,
    maxQueue: 8,
  });
  const app = makeApp({ pool, routes: [meditronRoutes], onClose: close => closing.push(close) });
  send = sendTo(app);
});
afterAll(async () => {
  await Promise.all(closing.map(close => close()));
  await pool[Symbol.asyncDispose]();
});

/** The id of an ask that has been answered. */
async function asked(model: string, body: object = {}): Promise<string> {
  const id = newId();
  const response = await send('POST', 'ask', { id, model, question, mode: 'top-token', ...body });
  expect(response.status).toBe(200);
  await response.json();
  return id;
}

const panel = (asks: readonly string[], unasked: readonly string[] = []): Promise<Json> =>
  jsonOf(send('POST', 'panel', { asks, unasked }));

test('models of one family are no second opinion; the record runs again', async () => {
  const told = await panel([await asked('meditron-mini'), await asked('mini-seed-1')]);
  expect(told).toMatchObject({ decision: 'abstain', reason: 'one_family', heard: 1 });
  expect(told.members.map(({ name }: Json) => name)).toEqual(['meditron-mini', 'mini-seed-1']);
  expect(told.members[0].family).toEqual(told.members[1].family);
  expect(await replayPanel(told.evidence)).toMatchObject({ same: true });
});

test('of two families that are heard each counts once; one that fails is named, one that was not reached is said to be', async () => {
  const one = await asked('meditron-mini');
  const other = await asked('stories260K', { format: 'raw' });
  const told = await panel([one, other]);
  expect(told.families).toHaveLength(2);
  expect(told).toMatchObject({ heard: 2, needed: 2 });
  expect(await panel([one], ['stories260K'])).toMatchObject({
    ...{ decision: 'abstain', reason: 'aborted', heard: 1, evidence: { interrupted: 'aborted' } },
    members: [{ state: 'answered' }, { state: 'not-asked', family: { name: told.families[1].family } }],
  });
  const failed = newId();
  // Nobody knows the format of this one.
  expect((await send('POST', 'ask', { id: failed, model: 'stories260K', question })).status).toBe(400);
  expect((await panel([one, failed])).members[1]).toMatchObject({
    ...{ state: 'failed', error: { code: 'ERR_PROMPT_FORMAT' } },
  });
});

test('what makes no panel is refused', async () => {
  const one = await asked('meditron-mini');
  const elsewhere = await asked('mini-seed-1', { question: { ...question, options: ['4', '5'] } });
  for (const [body, status, message] of [
    [{ asks: [one] }, 400, '2 to 8 models, got 1'],
    [{ asks: [one, one] }, 400, 'different models'],
    [{ asks: [one], unasked: ['meditron-mini'] }, 400, 'different models'],
    [{ asks: [one, elsewhere] }, 400, 'one question'],
    [{ asks: [one, newId()] }, 404, 'Nothing was asked'],
    [{ asks: [one], unasked: ['gpt-4'] }, 404, 'gpt-4'],
    [{}, 400, 'asks'],
  ] as const) {
    const response = await send('POST', 'panel', body);
    expect(response.status, message).toBe(status);
    expect((await jsonOf(response)).error.message).toContain(message);
  }
});
