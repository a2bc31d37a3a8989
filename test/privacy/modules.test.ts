import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const src = fileURLToPath(new URL('../../src', import.meta.url));
const sources = new Map(
  readdirSync(src, { recursive: true, encoding: 'utf8' })
    .filter(name => name.endsWith('.ts'))
    .map(name => [relative(src, join(src, name)).replaceAll('\\', '/'), readFileSync(join(src, name), 'utf8')]),
);
const filesWith = (pattern: RegExp) => [...sources].filter(([, text]) => pattern.test(text)).map(([name]) => name);

test('what reaches a network is imported by the client of endpoints, the server, and what fetches a model when told to', () => {
  const modules =
    /(?:from |import\()'(?:node:)?(?:undici|https?|http2|net|tls|dns|dgram|@hono\/node-server|node:dns\/promises)'/;
  const found = filesWith(modules).filter(name => !name.startsWith('server/'));
  expect(found.sort()).toEqual(['cli/models/fetch.ts', 'endpoint/http.ts']);
  const spoken = filesWith(/(?<![\w.])fetch\(|new WebSocket|XMLHttpRequest/);
  expect(spoken.filter(name => !name.startsWith('server/'))).toEqual([]);
});

test('what fetches a model is imported by one command, when it is told to', () => {
  expect(filesWith(/models\/fetch\.js'/)).toEqual(['cli/commands/models.ts']);
  const command = sources.get('cli/commands/models.ts')!;
  expect(command.match(/.*models\/fetch\.js'.*/g)).toEqual([
    expect.stringMatching(/^ +const \{ download \} = await import\(/),
  ]);
  expect(command).toMatch(/if \(flags\.download\) return fetchModel/);
  expect(command.match(/fetchModel\(/g)).toHaveLength(2);
});
