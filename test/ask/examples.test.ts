import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { meditron, root } from '../cli/command.js';

const run = promisify(execFile);

test.each([
  ['ask.mjs', /^[A-D] (agree|split|abstain) \d of 5/],
  ['stream.mjs', /\[1, unverified\] [\s\S]*sample \d says \w+; so far[\s\S]*(yes|no|maybe) \d of 3/],
  ['score.mjs', /park: ln p = -\d/],
  ['worker.mjs', /sample 1: [AB]\n[\s\S]*[AB] \d of 3/],
])('examples/%s runs', async (name, expected) => {
  await meditron(['--version']); // builds what the examples import
  const format = name === 'score.mjs' ? [] : ['raw'];
  const { stdout } = await run(
    process.execPath,
    [resolve(root, 'examples', name), 'models/stories260K.gguf', ...format],
    { cwd: root },
  );
  expect(stdout).toMatch(expected);
});
