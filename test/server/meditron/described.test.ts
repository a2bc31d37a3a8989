import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { makeApp } from '../../../src/server/app.js';
import { meditronDescriptions } from '../../../src/server/meditron/described.js';
import { meditronRoutes } from '../../../src/server/meditron/routes.js';
import { SinglePool } from '../single.js';
import { sendTo } from './served.js';

const nobody = { info: { path: 'none.gguf' } } as ConstructorParameters<typeof SinglePool>[0];
const pool = new SinglePool(nobody, undefined as never, 'none');
const app = makeApp({ pool, routes: [parts => meditronRoutes(parts)] });

test('every route is described, and every description is a route', () => {
  const there = app.routes
    .filter(({ method, path }) => method !== 'ALL' && path.startsWith('/v1/meditron/'))
    .map(({ method, path }) => `${method.toLowerCase()} ${path}`);
  const described = meditronDescriptions.map(({ method, path }) => `${method} ${path}`);
  expect([...new Set(there)].sort()).toEqual([...described].sort());
});

test('what is said to be for the page alone is refused without its key, and nothing else is', async () => {
  const send = sendTo(app);
  for (const { method, path, page } of meditronDescriptions) {
    const body = method === 'post' ? {} : undefined;
    const below = path.replace('/v1/meditron/', '').replace(':name', 'none').replace(':id', 'none');
    const { status } = await send(method.toUpperCase(), below, body);
    if (page === true) expect(`${path}: ${status}`).toBe(`${path}: 401`);
    else expect(status, path).not.toBe(401);
  }
});

test('the types that it names are those of the protocol', () => {
  const protocol = readFileSync(
    join(import.meta.dirname, '..', '..', '..', 'src', 'server', 'meditron', 'protocol.ts'),
    'utf8',
  );
  for (const { answer, events } of meditronDescriptions) {
    for (const name of [answer.replace('[]', ''), ...(events ? [events] : [])])
      expect(protocol, name).toMatch(new RegExp(`export (interface|type) (\\{[^}]*\\b)?${name}\\b`));
  }
});
