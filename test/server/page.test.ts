import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Hono } from 'hono';
import { afterAll, expect, test, vi } from 'vitest';
import { Openings } from '../../src/server/open.js';
import { pagePolicy } from '../../src/server/page.js';
import { appOf, pageKey } from './parts.js';

const place = mkdtempSync(join(tmpdir(), 'meditron-page-'));
afterAll(() => rmSync(place, { recursive: true }));
const folder = join(place, 'page');
mkdirSync(join(folder, 'assets'), { recursive: true });
writeFileSync(join(place, 'secret.txt'), 'secret');
symlinkSync(join(place, 'secret.txt'), join(folder, 'linked.txt'));
for (const [name, text] of [
  ['index.html', '<!doctype html><script type="module" src="/assets/a.js"></script>'],
  ['assets/a.js', 'let a;'],
  ['assets/a.css', 'a {}'],
  ['icon.svg', '<svg/>'],
  ['left.map', '{}'],
])
  writeFileSync(join(folder, name!), text!);

const app = appOf(() => new Hono(), { pageFolder: folder, openings: new Openings(pageKey) });

test.each([
  ['/', 'text/html; charset=utf-8'],
  ['/index.html', 'text/html; charset=utf-8'],
  ['/assets/a.js', 'text/javascript; charset=utf-8'],
  ['/assets/a.css', 'text/css; charset=utf-8'],
  ['/icon.svg', 'image/svg+xml'],
])('%s is served as %s, with the policy, and once to a browser that has it', async (path, type) => {
  const response = await app.request(path);
  expect(response.status).toBe(200);
  expect(response.headers.get('Content-Type')).toBe(type);
  expect(response.headers.get('Content-Security-Policy')).toBe(pagePolicy);
  const again = await app.request(path, { headers: { 'If-None-Match': response.headers.get('ETag')! } });
  expect([again.status, await again.text()]).toEqual([304, '']);
  expect((await app.request(path, { headers: { 'If-None-Match': '"another"' } })).status).toBe(200);
});

test('the policy lets in no script of a text, no other origin, no frame around it', () => {
  expect(pagePolicy).toContain("default-src 'self'");
  expect(pagePolicy).toContain("frame-ancestors 'none'");
  expect(pagePolicy).not.toMatch(/unsafe|https?:|\*/);
});

test.each([
  '/secret.txt',
  '/linked.txt',
  '/left.map',
  '/assets/',
  '/../secret.txt',
  '/assets/..%2f..%2fsecret.txt',
  '/%00',
  '/page/index.html',
])('%s leads to no file', async path => {
  const response = await app.request(path);
  expect(response.status).toBe(404);
  expect(await response.text()).not.toContain('"secret"');
});

test('without a page there is one that says so', async () => {
  const response = await appOf(() => new Hono()).request('/');
  expect(await response.text()).toContain('has not been built');
  expect(response.headers.get('Content-Security-Policy')).toBe(pagePolicy);
});

test('an address that leads to the page works once, and not after two minutes', async () => {
  const openings = new Openings(pageKey);
  const opening = appOf(() => new Hono(), { openings });
  const path = openings.path();
  expect((await opening.request(path)).headers.get('Location')).toBe(`/#key=${pageKey}`);
  expect((await opening.request(path)).status).toBe(410);
  const late = openings.path();
  const now = performance.now();
  vi.spyOn(performance, 'now').mockReturnValue(now + 121_000);
  expect((await opening.request(late)).status).toBe(410);
  vi.restoreAllMocks();
  expect((await opening.request('/open/guessed')).status).toBe(410);
});
