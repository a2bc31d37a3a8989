import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createServer, type Server } from '../../../src/server/server.js';
import { allOf, eventsOf, newId, question, type Sent } from './served.js';

let server: Server;
beforeAll(async () => {
  server = await createServer({ port: 0, engine: { threads: 1 } });
});
afterAll(() => server.close());

const headers = { 'Content-Type': 'application/json', Accept: 'text/event-stream' };
const ask = (body: object, signal?: AbortSignal) =>
  fetch(`${server.url}/v1/meditron/ask`, {
    ...{ method: 'POST', headers, body: JSON.stringify({ question, seed: 7, hash: false, stop: 'none', ...body }) },
    ...(signal && { signal }),
  });
const metric = async (name: string): Promise<number> => {
  const text = await (await fetch(`${server.url}/metrics`)).text();
  return Number(new RegExp(`^meditron_${name}\\{[^}]*\\} (\\d+)$`, 'm').exec(text)![1]);
};

test('clients that leave, wherever they are, free the engine: nothing is computed for them any more', async () => {
  const leaving = Array.from({ length: 6 }, () => new AbortController());
  const left = leaving.map(async (abort, i) => {
    const response = await ask({ samples: 64 }, abort.signal); // many more than run at once
    const events = ['asked', 'plan', 'text', 'vote'];
    for await (const { event } of eventsOf(response)) if (event.type === events[i % events.length]) abort.abort();
  });
  expect((await Promise.allSettled(left)).map(({ status }) => status)).toEqual(leaving.map(() => 'rejected'));
  while ((await metric('sequences_live')) > 0 || (await metric('model_requests')) > 0) await delay(5);
  const before = await metric('sampled_tokens_total');
  expect((await allOf(await ask({ mode: 'top-token' }))).at(-1)!.event.type).toBe('answer');
  expect(await metric('sampled_tokens_total')).toBe(before);
});

test('a connection that breaks is taken up again behind the last event', async () => {
  const id = newId();
  const abort = new AbortController();
  const sent: Sent[] = [];
  const broken = (async () => {
    for await (const each of eventsOf(await ask({ samples: 32, id }, abort.signal))) {
      sent.push(each);
      if (each.event.type === 'text') abort.abort();
    }
  })();
  await expect(broken).rejects.toThrow();
  const again = await fetch(`${server.url}/v1/meditron/asks/${id}`, {
    headers: { ...headers, 'Last-Event-ID': String(sent.at(-1)!.id) },
  });
  const rest = await allOf(again);
  expect([...sent, ...rest].map(each => each.id)).toEqual([...sent, ...rest].map((_, i) => i + 1));
  expect(rest.at(-1)!.event.type).toBe('answer');
});

test('a question that would wait for its place no longer than it says is told so', async () => {
  await using busy = await createServer({ port: 0, parallel: 1, engine: { threads: 1 } });
  const send = (body: object, more: Record<string, string> = {}, signal?: AbortSignal) =>
    fetch(`${busy.url}/v1/meditron/ask`, {
      ...{ method: 'POST', headers: { ...headers, ...more }, body: JSON.stringify({ question, hash: false, ...body }) },
      ...(signal && { signal }),
    });
  const left = new AbortController();
  const long = await send({ samples: 64, stop: 'none' }, {}, left.signal);
  const events = eventsOf(long);
  while ((await events.next()).value?.event.type !== 'text');
  const refused = await send({ samples: 1 }, { Accept: 'application/json', Prefer: 'wait=0' });
  expect([refused.status, refused.headers.get('Retry-After')]).toEqual([503, '1']);
  expect(await refused.json()).toMatchObject({ error: { code: 'ERR_BUSY' } });
  const told = await allOf(await send({ samples: 1 }, { Prefer: 'wait=0' }));
  expect(told.at(-1)!.event).toMatchObject({ type: 'failed', error: { code: 'ERR_BUSY' } });
  left.abort();
  await expect(events.next()).rejects.toThrow();
});
