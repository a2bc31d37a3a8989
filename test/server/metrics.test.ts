import { Hono } from 'hono';
import { expect, test } from 'vitest';
import { noCounts } from '../../src/engine/settings.js';
import type { ServedModel } from '../../src/server/pool/pool.js';
import { preferenceOf } from '../../src/server/prefer.js';
import { appOf, noModels } from './parts.js';

const model: ServedModel = {
  name: 'meditron-7b "Q4"',
  path: '/home/doctor/patients/meditron-7b.gguf',
  state: 'loaded',
  requests: 3,
  waiting: 2,
  sequences: 5,
  created: 0,
  counters: { ...noCounts(), promptTokens: 7, sampledTokens: 11, steps: 13 },
  keptBytes: 0,
  loads: 1,
  deaths: 4,
};

test('requests are counted by route and status, models by name, and nothing else is told', async () => {
  const app = appOf(() => new Hono().get('/asks/:id', c => c.text('')), { pool: { ...noModels, models: [model] } });
  await app.request('/asks/secret-1?patient=Jane');
  await app.request('/asks/secret-2');
  await app.request('/nowhere/secret');
  await app.request('/asks/1', { method: 'SECRET' });
  await app.request('/asks/1', { headers: { Origin: 'http://evil.example' } });
  for (const path of ['/health', '/']) await app.request(path);
  const response = await app.request('/metrics');
  expect(response.headers.get('Content-Type')).toBe('text/plain; version=0.0.4; charset=utf-8');
  const text = await response.text();
  expect(text).not.toMatch(/secret|Jane|patients|evil/i);
  expect(text.split('\n').filter(line => line.startsWith('meditron_requests_total'))).toEqual([
    'meditron_requests_total{method="GET",route="/asks/:id",status="200"} 2',
    'meditron_requests_total{method="GET",route="none",status="404"} 1',
    'meditron_requests_total{method="other",route="none",status="405"} 1',
    'meditron_requests_total{method="GET",route="/asks/:id",status="403"} 1',
    'meditron_requests_total{method="GET",route="/health",status="200"} 1',
    'meditron_requests_total{method="GET",route="/",status="200"} 1',
  ]);
  const name = '{model="meditron-7b _Q4_"}';
  for (const line of [
    'queue_length 2',
    'sequences_live 5',
    'prompt_tokens_total 7',
    'sampled_tokens_total 11',
    'engine_deaths_total 4',
  ]) {
    const [what, value] = line.split(' ');
    expect(text).toContain(`\nmeditron_${what}${name} ${value}\n`);
  }
  // Every line is a comment or a sample, as the format has them.
  for (const line of text.trimEnd().split('\n'))
    expect(line).toMatch(
      /^# (HELP|TYPE) meditron_\w+ .+$|^meditron_\w+(\{\w+="[^"\\]*"(,\w+="[^"\\]*")*\})? \d+(\.\d+)?(e[-+]\d+)?$/,
    );
});

test.each([
  ['wait=5', 5000],
  ['respond-async, wait=0', 0],
  ['WAIT = "7"; x', 7000],
  ['await=5', undefined],
  ['wait=-1', undefined],
  ['', undefined],
])('with Prefer: %s a request waits %s ms', async (header, waitMs) => {
  const app = new Hono().get('/', c => c.json(preferenceOf(c)));
  expect(await (await app.request('/', { headers: { Prefer: header } })).json()).toEqual(
    waitMs === undefined ? {} : { waitMs },
  );
});
