import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { meditron, root } from '../cli/command.js';

const run = promisify(execFile);

test.each([
  ['ask.mjs', /^[A-D] (agree|split|abstain) \d of 5/],
  ['stream.mjs', /\[1, unverified\] [\s\S]*sample \d says [A-D]; so far[\s\S]*[A-D] \d of 3/],
  ['generate.mjs', /\[4\] [\s\S]*ln p: yes -\d/],
  ['score.mjs', /park: ln p = -\d/],
  [
    'isolated.mjs',
    /^\(the engine was ended by SIGKILL\)\nERR_ENGINE_DIED: .*SIGKILL.*(prompt|decoded).*\n[\s\S]+\nThe app goes on\.\n$/,
  ],
  ['worker.mjs', /sample 1: [A-D]\n[\s\S]*[A-D] \d of 3/],
])('examples/%s runs', async (name, expected) => {
  await meditron(['--version']); // builds what the examples import
  const { stdout } = await run(process.execPath, [resolve(root, 'examples', name)], { cwd: root });
  expect(stdout).toMatch(expected);
});
