import { defineConfig } from 'vitest/config';

/** Tests that load the addon or start processes; by folder, or by their ending. */
const withEngine = ['test/{engine,cli,native,leaving}/**/*.test.ts', 'test/build.test.ts', 'test/**/*.engine.test.ts'];

export default defineConfig({
  test: {
    pool: 'forks',
    testTimeout: 60_000,
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
        // The engine computes with spinning threads: these files run one after another, each in a process of its own.
        extends: true,
        test: { name: 'engine', include: withEngine, fileParallelism: false, sequence: { groupOrder: 1 } },
      },
    ],
  },
});
