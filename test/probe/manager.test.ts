import { expect, test } from 'vitest';
import { addingCommand, managerOf, repairingCommand } from '../../src/native/manager.js';

const library = '@node-llama-cpp/linux-x64-vulkan';

test.each<[string, string, readonly string[], string, string]>([
  [
    'npm',
    '/app/node_modules/meditron',
    ['/app/package.json'],
    'npm install X in /app',
    'npm install --include=optional M in /app',
  ],
  [
    'npm, nested',
    '/app/node_modules/a/node_modules/meditron',
    ['/app/package-lock.json'],
    'npm install X in /app',
    'npm install --include=optional M in /app',
  ],
  [
    'npm for the whole system',
    '/usr/lib/node_modules/meditron',
    [],
    'npm install --global X',
    'npm install --global --include=optional M',
  ],
  [
    'pnpm',
    '/app/node_modules/.pnpm/meditron@1/node_modules/meditron',
    [],
    'pnpm add X in /app',
    'pnpm install in /app',
  ],
  [
    'pnpm, hoisted',
    '/app/node_modules/meditron',
    ['/app/pnpm-lock.yaml'],
    'pnpm add X in /app',
    'pnpm install in /app',
  ],
  [
    'Yarn, unplugged',
    '/app/.yarn/unplugged/meditron-virtual-1/node_modules/meditron',
    ['/app/.pnp.cjs'],
    'yarn add X in /app',
    'yarn install in /app',
  ],
  [
    'Yarn with node_modules',
    '/app/node_modules/meditron',
    ['/app/yarn.lock', '/app/package.json'],
    'yarn add X in /app',
    'yarn install in /app',
  ],
  ['Bun', '/app/node_modules/meditron', ['/app/bun.lock'], 'bun add X in /app', 'bun install in /app'],
  [
    'npm on Windows',
    'C:\\app\\node_modules\\meditron',
    [],
    'npm install --global X',
    'npm install --global --include=optional M',
  ],
  ['nobody knows', '/somewhere', [], 'npm install X', 'npm install --include=optional M'],
  [
    'a checkout',
    '/meditron',
    ['/meditron/src', '/meditron/scripts/build.js'],
    'npm run libraries -- linux-x64-vulkan in /meditron',
    'npm ci && npm run build in /meditron',
  ],
])('%s', (_, root, files, adding, repairing) => {
  const manager = managerOf(root, path => files.includes(path));
  const plain = (text: string) =>
    text.replace(/^Run /, '').replaceAll('`', '').replace(`${library}@3.21.1`, 'X').replace('meditron@0.1.0', 'M');
  expect(plain(addingCommand(manager, library, '3.21.1'))).toBe(adding);
  expect(plain(repairingCommand(manager, '0.1.0'))).toBe(repairing);
});
