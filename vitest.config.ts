import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/** Tests that load the addon or start processes; by folder, or by their ending. */
const withEngine = ['test/{engine,cli,native,leaving}/**/*.test.ts', 'test/build.test.ts', 'test/**/*.engine.test.ts'];

export default defineConfig({
  test: {
    maxWorkers: 2,
    testTimeout: 60_000,
    // What is remembered of GPUs: the tests leave the user's own alone.
    env: { MEDITRON_STATE: fileURLToPath(new URL('build/test-state', import.meta.url)) },
    projects: [
      {
        extends: true,
        test: {
          name: 'pure',
          include: ['test/**/*.test.ts'],
          exclude: withEngine,
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
    ],
  },
});
