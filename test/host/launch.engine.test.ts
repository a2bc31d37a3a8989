import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
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

test('a process that has ended leaves no timer behind that would keep the program alive', () => {
  const launch = pathToFileURL(resolve(import.meta.dirname, '../../dist/host/launch.js'));
  const program = `
    const { launchNode } = await import('${launch}');
    const none = { script: '/nowhere/none.js', execPath: process.execPath, env: {}, cwd: '/' };
    const end = () => console.log(process.getActiveResourcesInfo().filter(name => name === 'Timeout').length);
    launchNode(none).listen({ message() {}, print() {}, end });`;
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' });
  expect({ stdout, stderr }).toEqual({ stdout: '0\n', stderr: '' });
});

test('the end of a process that ended before anybody listened is told, with what it said', async () => {
  const transport = launchNode({ ...options, script: '/nowhere/none.js' });
  while (isAlive(transport.pid!)) await new Promise(done => setTimeout(done, 10));
  let said = '';
  const end = await new Promise<End>(resolve => {
    const print = (text: string) => {
      said += text;
    };
    transport.listen({ message: () => {}, print, end: resolve });
  });
  expect(end).toMatchObject({ signal: null, exitCode: 1 });
  expect(said).toContain('/nowhere/none.js');
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
