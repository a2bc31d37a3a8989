import { existsSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { clinicalQuestions } from '../../../src/clinical/questions.js';
import { reportOf } from '../../../src/evaluate/report/report.js';
import { readEvaluation } from '../../../src/evaluate/storage/evaluation.js';
import { allOf, eventsOf, type Json, jsonOf, newId, question, type Served, served } from './served.js';

const folder = mkdtempSync(join(tmpdir(), 'meditron-runs-'));
const questionsIn = (count: number): string => {
  const file = join(folder, `${count}.jsonl`);
  const rows = [...clinicalQuestions({ seed: 5, count })].map(({ question, options, answer }) =>
    JSON.stringify({ question, options, answer }),
  );
  writeFileSync(file, `${rows.join('\n')}\n`);
  return file;
};
const [few, many] = [questionsIn(4), questionsIn(10)];

let server: Served;
beforeAll(async () => {
  server = await served();
});
afterAll(() => server[Symbol.asyncDispose]());

const send = (...given: Parameters<Served['send']>) => server.send(...given);
const begin = async (body: object): Promise<Json> => {
  const response = await send('POST', 'runs', body);
  expect(response.status).toBe(201);
  return response.json();
};
const watch = (id: string) => send('GET', `runs/${id}`, undefined, { events: true });
const lastOf = async (id: string): Promise<Json> => (await allOf(watch(id))).at(-1)!.event;

test('an evaluation grows, ends, and its report is that of its rows', async () => {
  const out = join(folder, 'kept');
  const run = await begin({ file: few, modes: ['top-token', 'cot'], limit: 3, out });
  expect(run).toMatchObject({ model: 'meditron-mini', state: 'running', out, kept: true, progress: null });
  expect(await jsonOf(send('GET', `runs/${run.id}/report`))).toMatchObject({ complete: false, rows: 0, runs: [] });
  const events = (await allOf(watch(run.id))).map(({ event }) => event);
  expect(events[0]).toMatchObject({ type: 'run', run: { id: run.id } });
  const rows = events.filter(({ type, row }) => type === 'progress' && row !== null);
  expect(rows.map(({ progress }) => [progress.place, progress.done])).toEqual(
    [1, 2].flatMap(place => [1, 2, 3].map(done => [place, done])),
  );
  const right = rows.filter(({ progress, row }) => progress.place === 2 && row.correct).length;
  expect(rows.at(-1).progress.right).toEqual({ count: right, of: 3 });
  expect(events.at(-1)).toMatchObject({ type: 'ended', run: { state: 'done' } });

  const report = await jsonOf(send('GET', `runs/${run.id}/report`));
  const expected = await reportOf(await readEvaluation(out));
  expect(report).toMatchObject({ title: expected.title, rows: 6, complete: true });
  expect(report.runs).toEqual(JSON.parse(JSON.stringify(expected.runs.map(({ outcomes: _, ...each }) => each))));
  expect(report.comparisons).toEqual(JSON.parse(JSON.stringify(expected.comparisons)));

  const page = await jsonOf(send('GET', `runs/${run.id}/rows?run=1&from=1&count=2`));
  expect(page).toMatchObject({ from: 1, total: 3, rows: [{ mode: 'cot' }, { mode: 'cot' }] });
  const wrong = await jsonOf(send('GET', `runs/${run.id}/rows?run=1&only=wrong`));
  const none = await jsonOf(send('GET', `runs/${run.id}/rows?run=1&only=none`));
  expect(right + wrong.total + none.total).toBe(3);

  const [model] = await jsonOf(send('GET', 'models'));
  expect(model.measured.map(({ run, accuracy }: Json) => [run, accuracy.n])).toEqual([
    ['CoT', 3],
    ['top-token', 3],
  ]);
});

test('two run at once, survive their watchers, and are compared', async () => {
  const [first, second] = await Promise.all([
    begin({ file: few, modes: ['cot'], seed: 1, temperature: 0 }),
    begin({ file: few, modes: ['cot'], seed: 2 }),
  ]);
  expect(first).toMatchObject({ kept: false, file: basename(few) });
  for await (const _ of eventsOf(await watch(first.id))) break;
  expect((await lastOf(first.id)).run.state).toBe('done');
  expect((await lastOf(second.id)).run.state).toBe('done');
  const ids = (await jsonOf(send('GET', 'runs'))).map(({ id }: Json) => id);
  expect(ids.slice(0, 2).sort()).toEqual([first.id, second.id].sort());
  const compared = await jsonOf(send('GET', `runs/compare?first=${first.id}&second=${second.id}`));
  expect(compared.comparisons[0]).toMatchObject({ n: 4, first: 'CoT (1)', second: 'CoT (2)' });
  expect(await jsonOf(send('DELETE', `runs/${first.id}`))).toEqual({ id: first.id, state: 'forgotten' });
  expect(existsSync(first.out)).toBe(false);
  expect((await send('GET', `runs/${first.id}`)).status).toBe(404);
});

test('stopped in the middle its rows stay, and it goes on behind them', async () => {
  const run = await begin({ file: many, modes: ['cot'], parallel: 1 });
  const url = `runs/${run.id}`;
  let rows = 0;
  for await (const { event } of eventsOf(await watch(run.id))) {
    if (event.type === 'progress' && event.row && ++rows === 3) await send('DELETE', url);
  }
  const stopped = await jsonOf(send('GET', url));
  expect(stopped).toMatchObject({ state: 'stopped', error: null });
  const partial = await jsonOf(send('GET', `${url}/report`));
  expect(partial.rows).toBeGreaterThanOrEqual(3);
  expect(partial.rows).toBeLessThan(10);
  expect(await jsonOf(send('POST', `${url}/resume`, {}))).toMatchObject({ id: run.id, state: 'running' });
  const events = (await allOf(watch(run.id))).map(({ event }) => event);
  expect(events.at(-1)).toMatchObject({ type: 'ended', run: { state: 'done' } });
  expect(events.at(-1).run.progress).toMatchObject({ done: 10, resumed: partial.rows, total: 10 });
  expect((await send('POST', `${url}/resume`, {})).status).toBe(409);
});

test('a server that closes ends what runs, and takes temporary folders away', async () => {
  await using closing = await served();
  const run = await jsonOf(closing.send('POST', 'runs', { file: many, modes: ['cot'] }));
  const id = newId();
  const asked = await closing.send('POST', 'ask', { question, samples: 64, stop: 'none', id }, { events: true });
  const watched = await closing.send('GET', `runs/${run.id}`, undefined, { events: true });
  await closing[Symbol.asyncDispose]();
  expect((await allOf(asked)).at(-1)!.event).toMatchObject({ type: 'failed', error: { code: 'ERR_CLOSED' } });
  expect((await allOf(watched)).at(-1)!.event).toMatchObject({ type: 'ended', run: { state: 'stopped' } });
  expect(existsSync(run.out)).toBe(false);
});

test('a folder that holds results already fails with what to do', async () => {
  const out = join(folder, 'twice');
  await lastOf((await begin({ file: few, modes: ['top-token'], out })).id);
  const again = await begin({ file: few, modes: ['top-token'], out });
  expect(await lastOf(again.id)).toMatchObject({ type: 'failed', error: { code: 'ERR_OUTPUT' } });
  const resumed = await begin({ file: few, modes: ['top-token'], out, resume: true });
  expect(await lastOf(resumed.id)).toMatchObject({ type: 'ended', run: { state: 'done' } });
});

test('what it would be is said before: how many questions, how long once the speed was measured', async () => {
  const body = { file: few, modes: ['sc-cot'], limit: 3 };
  expect(await jsonOf(send('POST', 'runs/plan', body))).toMatchObject({ questions: 3, seconds: null });
  await allOf(send('POST', 'models/meditron-mini/measure', {}, { events: true }));
  expect((await jsonOf(send('POST', 'runs/plan', body))).seconds).toBeGreaterThanOrEqual(0);
  const names = (await jsonOf(send('GET', 'questions'))).map(({ name }: Json) => name);
  expect(names).toContain('medqa');
  expect(names).not.toContain('file');
});

test.each([
  ['no questions', {}, 'ERR_OPTION'],
  ['both', { file: few, benchmark: 'medqa' }, 'ERR_OPTION'],
  ['a file that is not there', { file: join(folder, 'none.jsonl') }, 'ERR_INPUT'],
  ['a benchmark without its files', { benchmark: 'medqa', data: folder }, 'ERR_INPUT'],
  ['another benchmark', { benchmark: 'medQ' }, 'ERR_OPTION'],
  ['another mode', { file: few, modes: ['ranked'] }, 'ERR_OPTION'],
  ['a misspelt field', { file: few, mode: ['cot'] }, 'ERR_OPTION'],
  ['a number as text', { file: few, limit: '5' }, 'ERR_OPTION'],
  ['nothing to go on with', { file: few, resume: true }, 'ERR_OPTION'],
  ['a folder that cannot be made', { file: few, out: join(few, 'below') }, 'ERR_OUTPUT'],
])('%s is refused before anything runs', async (_, body, code) => {
  const before = (await jsonOf(send('GET', 'runs'))).length;
  const response = await send('POST', 'runs', body);
  expect(response.status).toBe(400);
  expect(await response.json()).toMatchObject({ error: { code } });
  expect(await jsonOf(send('GET', 'runs'))).toHaveLength(before);
});

test('all of it is for the page alone', async () => {
  const headers = { Authorization: 'Bearer another' };
  for (const [method, path] of [
    ['GET', 'runs'],
    ['POST', 'runs'],
    ['GET', 'runs/a'],
    ['GET', 'runs/a/rows'],
  ] as const)
    expect((await send(method, path, method === 'POST' ? {} : undefined, { headers })).status).toBe(401);
});
