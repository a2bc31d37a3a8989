import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import * as v from 'valibot';
import { expect, test } from 'vitest';
import { makeApp } from '../../src/server/app.js';
import { Openings } from '../../src/server/open.js';
import { descriptions } from '../../src/server/openapi.js';
import { routeSets } from '../../src/server/routes.js';
import { jsonSchemaOf } from '../../src/server/schema.js';
import { noModels, pageKey } from './parts.js';

const app = makeApp({
  pool: noModels,
  pageKey,
  routes: routeSets,
  openings: new Openings(randomBytes(8).toString('hex')),
  pageFolder: 'nowhere',
});

test('every route is described, and every route that is described is there', () => {
  const routes = app.routes.filter(({ method }) => method !== 'ALL').map(({ method, path }) => `${method} ${path}`);
  const described = descriptions.map(({ method, path }) => `${method.toUpperCase()} ${path}`);
  expect(described.sort()).toEqual([...new Set(routes)].sort());
});

test('the description is served, and says of each route who may use it and what it takes', async () => {
  const { openapi, paths } = (await (await app.request('/openapi.json')).json()) as {
    openapi: string;
    paths: Record<string, Record<string, { requestBody?: object; security?: object[]; parameters?: object[] }>>;
  };
  expect(openapi).toBe('3.1.0');
  expect(paths['/v1/meditron/files']!.get!.security).toEqual([{ page: [] }]);
  expect(paths['/v1/meditron/asks/{id}']!.get!.parameters).toMatchObject([{ in: 'path', name: 'id', required: true }]);
  for (const [path, methods] of Object.entries(paths))
    for (const [method, { requestBody }] of Object.entries(methods))
      expect(requestBody !== undefined, `${method} ${path}`).toBe(method === 'post');
});

test('what needs the page’s key says so, and nothing else does', async () => {
  for (const { method, path, page } of descriptions) {
    if (page === 'some' || path.startsWith('/open/')) continue;
    const response = await app.request(path.replaceAll(/:(\w+)/g, 'x'), {
      method: method.toUpperCase(),
      ...(method === 'post' && { headers: { 'Content-Type': 'application/json' }, body: '{}' }),
    });
    await response.body?.cancel();
    expect(response.status === 401, `${method} ${path}`).toBe(page);
  }
});

test('every address may end with a slash, and takes no method that it has not', async () => {
  const answerOf = async (method: string, path: string) => {
    const headers = { 'Content-Type': 'application/json', Authorization: `Bearer ${pageKey}` };
    const response = await app.request(path, { method, headers, ...(method === 'POST' && { body: '{}' }) });
    await response.body?.cancel();
    return { status: response.status, allow: response.headers.get('Allow')?.split(', ').sort() };
  };
  const takes = (pattern: string) =>
    new RegExp(`^${pattern.replace(/:\w+\{(.*)\}/, '$1').replaceAll(/:\w+/g, '[^/]+')}$`);
  for (const { path: pattern } of descriptions) {
    if (pattern === '/') continue;
    const path = pattern.replace(/:\w+\{.*\}/, 'x/y').replaceAll(/:\w+/g, 'x');
    const own = descriptions.filter(each => takes(each.path).test(path)).map(({ method }) => method.toUpperCase());
    for (const method of ['GET', 'POST', 'DELETE', 'PUT', 'OPTIONS']) {
      const plain = await answerOf(method, path);
      expect(await answerOf(method, `${path}/`), `${method} ${path}`).toEqual(plain);
      if (own.includes(method)) expect(plain.status, `${method} ${path}`).not.toBe(405);
      else expect(plain, `${method} ${path}`).toEqual({ status: 405, allow: [...new Set(own)].sort() });
    }
  }
});

test('a description lets through what the check does', () => {
  const checks = [
    v.object({ a: v.optional(v.string()), b: v.array(v.pipe(v.number(), v.safeInteger(), v.minValue(0))) }),
    v.union([v.string(), v.array(v.boolean())]),
    v.nullable(v.picklist(['x', 'y'])),
    v.record(v.string(), v.number()),
    v.strictObject({ a: v.literal(1) }),
  ];
  expect(checks.map(jsonSchemaOf)).toEqual([
    {
      type: 'object',
      properties: { a: { type: 'string' }, b: { type: 'array', items: { type: 'integer', minimum: 0 } } },
      required: ['b'],
    },
    { anyOf: [{ type: 'string' }, { type: 'array', items: { type: 'boolean' } }] },
    { anyOf: [{ enum: ['x', 'y'] }, { type: 'null' }] },
    { type: 'object', additionalProperties: { type: 'number' } },
    { type: 'object', properties: { a: { const: 1 } }, required: ['a'], additionalProperties: false },
  ]);
});

test('any JSON sent to any route is answered, and with no fault of the server', async () => {
  const posts = descriptions.filter(({ method }) => method === 'post');
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...posts), fc.json({ maxDepth: 4 }), async ({ path }, body) => {
      const response = await app.request(path.replaceAll(/:(\w+)/g, 'x'), {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body,
      });
      const said = await response.json();
      expect(response.status, `${path} ${body}: ${JSON.stringify(said)}`).not.toBe(500);
    }),
    { numRuns: 300 },
  );
});
