import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/** Tests that load the addon or start processes; by folder, or by their ending. */
const withEngine = [
  'test/{engine,cli,native,leaving,electron,docs}/**/*.test.ts',
  'test/build.test.ts',
  'test/**/*.engine.test.ts',
];

/** What users install, tried on their systems: needs the packed packages, and other npm clients, Wine or qemu. Not part of `npm test`. */
const installed = ['install', 'windows', 'arm64', 'bundle'];
/** Clients of others, which are installed for these tests alone: `npm run test:clients`. */
const clients = 'test/clients/*.test.ts';

/** The page in Chromium; what drives it is installed apart: `npm ci --prefix test/page/browser`. Not part of `npm test`. */
const inBrowser = 'test/page/browser/**';

/** Temporary folders of all tests, and of the processes that they start and kill, are made in this one. */
const temporary = mkdtempSync(join(tmpdir(), 'meditron-tests-'));
chmodSync(temporary, 0o711); // some of them run as another user
process.on('exit', () => rmSync(temporary, { recursive: true, force: true, maxRetries: 5 }));

export default defineConfig({
  // The examples import the package by its name, and Electron, for which something stands in.
  resolve: {
    alias: {
      meditron: fileURLToPath(new URL('dist/index.js', import.meta.url)),
      electron: fileURLToPath(new URL('test/electron/electron.ts', import.meta.url)),
    },
  },
  test: {
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // What is remembered of GPUs: the tests leave the user's own alone.
    env: {
      MEDITRON_STATE: fileURLToPath(new URL('build/test-state', import.meta.url)),
      ...{ TMPDIR: temporary, TEMP: temporary, TMP: temporary },
    },
    projects: [
      {
        extends: true,
        test: {
          name: 'pure',
          include: ['test/**/*.test.{ts,tsx}'],
          exclude: [
            ...withEngine,
            clients,
            'test/clients/node_modules/**',
            ...installed.map(name => `test/${name}/**`),
            inBrowser,
          ],
          pool: 'threads',
          isolate: false,
          sequence: { groupOrder: 0 },
        },
      },
      {
        // The engine computes with spinning threads. Two files at a time, each in a process of its own, is what two cores bear: the
        // small models compute on one thread.
        extends: true,
        test: { name: 'engine', include: withEngine, pool: 'forks', sequence: { groupOrder: 1 } },
      },
      {
        extends: true,
        test: { name: 'page', include: [`${inBrowser}/*.test.ts`], pool: 'forks', sequence: { groupOrder: 2 } },
      },
      { extends: true, test: { name: 'clients', include: [clients], pool: 'forks', sequence: { groupOrder: 1 } } },
      // Two files at a time, of whichever: they share what is packed, and have folders of their own.
      ...installed.map(name => ({
        extends: true as const,
        test: {
          name,
          include: [`test/${name}/**/*.test.ts`],
          pool: 'forks' as const,
          testTimeout: 600_000,
          hookTimeout: 1_200_000, // whoever comes first packs, which compiles
          sequence: { groupOrder: 2 },
        },
      })),
    ],
  },
});
