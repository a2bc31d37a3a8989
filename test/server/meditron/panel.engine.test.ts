import { resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sealed } from '../../../src/check/seal.js';
import { replayPanel } from '../../../src/panel/record/replay.js';
import { makeApp } from '../../../src/server/app.js';
import { meditronRoutes } from '../../../src/server/meditron/routes.js';
import { ModelPool } from '../../../src/server/pool/models.js';
import { allOf, type Json, jsonOf, mini, newId, question, type Send, sendTo, stories } from './served.js';

const seed = resolve(import.meta.dirname, '..', '..', 'fixtures', 'mini-seed-1.gguf');

let send: Send;
const closing: (() => Promise<void>)[] = [];
beforeAll(async () => {
  send = await appOf([mini, seed, stories]);
});
afterAll(() => Promise.all(closing.map(close => close())));

/** The routes before these models. */
async function appOf(paths: readonly string[]): Promise<Send> {
  const pool = await ModelPool.of(paths, {
    weights: { gpuLayers: 0 },
    engine: { threads: 1, contextSize: 1024 },
    parallel: 4,
    maxQueue: 8,
  });
  const own: (() => Promise<void>)[] = [];
  const app = makeApp({ pool, routes: [meditronRoutes], onClose: close => own.push(close) });
  closing.push(async () => {
    await Promise.all(own.map(close => close()));
    await pool[Symbol.asyncDispose]();
  });
  return sendTo(app);
}

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

describe('the record of a panel', () => {
  let record: Json;
  beforeAll(async () => {
    record = (await panel([await asked('meditron-mini'), await asked('mini-seed-1')])).evidence;
  });
  const check = (given: unknown) => send('POST', 'records', { record: given });
  const replay = (body: object, events = false) => send('POST', 'replay', body, { events });

  test('is checked without running anything: what it says of itself, and where its models are', async () => {
    expect(await jsonOf(check(record))).toEqual({
      ...{ panel: record, contradiction: null },
      members: ['meditron-mini', 'mini-seed-1'].map(model => ({ model, sameFile: true })),
    });
  });

  test('is run again, one model after the other, and comes out the same', async () => {
    const sent = await allOf(replay({ record }, true));
    expect(sent.at(-1)!.event).toMatchObject({ type: 'replayed', replay: { same: true, difference: null } });
    const members = sent.slice(0, -1).map(({ event }) => (event as Json).member);
    expect([...new Set(members)]).toEqual([0, 1]);
    expect(members).toEqual([...members].sort());
    expect(sent.slice(0, -1).every(({ event }) => event.type === 'ask')).toBe(true);
    expect(await jsonOf(replay({ record }))).toMatchObject({ same: true });
  });

  test('that was changed is refused; one that was sealed again is found to contradict itself, and not run', async () => {
    const changed = { ...record, created: '2026-01-01T00:00:00.000Z' };
    for (const send of [check, (record: unknown) => replay({ record })]) {
      const response = await send(changed);
      expect([response.status, (await jsonOf(response)).error]).toMatchObject([400, { code: 'ERR_INPUT' }]);
    }
    const [first] = record.members;
    const other = { ...first.evidence.result, answer: 'D', decision: 'agree' };
    for (const result of [
      { ...record.result, decision: 'agree', reason: null, answer: 'B' },
      { ...record.result, heard: 2 },
      { ...record.result, summary: '2 of 2 families' },
    ]) {
      const forged = sealed({ ...record, result });
      for (const found of [(await jsonOf(check(forged))).contradiction, await jsonOf(replay({ record: forged }))])
        expect(found).toMatchObject({ same: false, difference: { where: 'record' } });
    }
    // In the record of one of its models.
    const member = { ...first, evidence: sealed({ ...first.evidence, result: other }) };
    const within = sealed({ ...record, members: [member, record.members[1]] });
    expect((await jsonOf(check(within))).contradiction).toMatchObject({ same: false });
  });

  test('whose models are not all here is read, and cannot be run again', async () => {
    const elsewhere = await appOf([mini]);
    const { contradiction, members } = await jsonOf(elsewhere('POST', 'records', { record }));
    expect([contradiction, members[1]]).toEqual([null, { model: null, sameFile: null }]);
    expect(await jsonOf(elsewhere('POST', 'replay', { record }))).toMatchObject({
      error: { code: 'ERR_UNKNOWN_MODEL', message: expect.stringContaining('mini-seed-1.gguf') },
    });
    expect((await replay({ record, model: 'meditron-mini' })).status).toBe(400);
  });

  test('that names files, as adapters, is for the page alone', async () => {
    const loras = [{ path: '/etc/passwd', scale: 1 }];
    const [first, second] = record.members;
    const evidence = sealed({ ...second.evidence, engine: { ...second.evidence.engine, loras } });
    const named = sealed({ ...record, members: [first, { ...second, evidence }] });
    const headers = { Authorization: 'Bearer another' };
    expect((await send('POST', 'replay', { record: named }, { headers })).status).toBe(401);
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
