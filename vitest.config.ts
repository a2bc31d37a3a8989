import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // The engine computes with spinning threads: test files run one after another, each in a process of its own.
    pool: 'forks',
    fileParallelism: false,
    testTimeout: 60_000,
  },
});
