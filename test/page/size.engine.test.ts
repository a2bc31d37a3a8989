import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';

const built = resolve(import.meta.dirname, '..', '..', 'dist', 'page');
const read = (name: string) => readFileSync(join(built, name), 'utf8');

test('script and style together stay below 200 kB compressed', () => {
  const sizes = readdirSync(built)
    .filter(name => /\.(js|css)$/.test(name))
    .map(name => gzipSync(read(name)).length);
  expect(sizes.reduce((a, b) => a + b, 0)).toBeLessThan(200_000);
});

test('the page is files of its own alone: nothing inline, nothing from elsewhere', () => {
  const page = read('index.html');
  expect(page).not.toMatch(/<style|\sstyle=|\son\w+=|javascript:|<script(?![^>]*\ssrc=)/i);
  for (const [, to] of page.matchAll(/\s(?:src|href)="([^"]*)"/g))
    expect(readdirSync(built)).toContain(to!.replace('./', ''));
  // Addresses of namespaces and licences are no requests.
  const elsewhere = [...read('page.js').matchAll(/https?:\/\/[^"'`\s)]+/g)].map(([url]) => url);
  expect(elsewhere.filter(url => !url.startsWith('http://www.w3.org/'))).toEqual([]);
  expect(read('page.css')).not.toMatch(/url\(|@import/);
});
