import { expect, test } from 'vitest';
import { launchNode } from '../../src/host/launch.js';
import type { End } from '../../src/host/transport.js';

const options = { script: 'none.js', execPath: process.execPath, env: {}, cwd: process.cwd() };

test.each([
  ['there is no such program', { ...options, execPath: '/nowhere/node' }, 'ENOENT'],
  ['the environment is larger than the system takes', { ...options, env: { LARGE: 'a'.repeat(8 << 20) } }, 'E2BIG'],
])('a process that cannot be started ends instead of throwing: %s', async (_, given, code) => {
  const transport = launchNode(given);
  transport.hold(true);
  transport.send('nothing');
  const end = await new Promise<End>(resolve => {
    transport.listen({ message: () => {}, print: () => {}, end: resolve });
  });
  expect(end).toMatchObject({ signal: null, exitCode: null, error: { code } });
  transport.kill();
});
