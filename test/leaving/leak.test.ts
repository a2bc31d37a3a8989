import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const program = fileURLToPath(new URL('leak.js', import.meta.url));

// Address space is counted in /proc, which is Linux's.
test.runIf(process.platform === 'linux')(
  'closed is gone: threads and their stacks do not wait for a collection',
  () => {
    const { rounds } = JSON.parse(execFileSync(process.execPath, [program], { encoding: 'utf8' })) as {
      rounds: { threads: number; bytes: number }[];
    };
    const [first] = rounds;
    for (const { threads, bytes } of rounds) {
      expect(threads).toBe(first!.threads);
      expect(bytes - first!.bytes).toBeLessThan(512 * 2 ** 20); // one stack; a round makes twenty
    }
  },
);
