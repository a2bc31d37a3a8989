import { expect, test } from 'vitest';
import { describeEnd } from '../../src/check/died.js';
import { isExternal } from '../../src/host/autopsy.js';

const ended = { signal: null, unresponsive: false, stopped: false, lastLines: [], greeted: true, foreign: undefined };

test.each([
  [134, false, 'exit code 134 (a failed check of llama.cpp or a driver)'],
  [0xc0000409, false, 'status 0xc0000409 (a failed check of llama.cpp or a driver)'],
  [0xc0000005, false, 'status 0xc0000005 (a memory fault)'],
  [0xc00000fd, false, 'status 0xc00000fd (the stack overflowed)'],
  [0xc000013a, true, 'status 0xc000013a (ended by Ctrl-C, or because its window was closed)'],
  [1, true, 'exit code 1 (ended from outside, as by the Task Manager)'],
  [70, false, 'exit code 70 '],
])('on Windows exit code %i tells how a process ended', (exitCode, external, words) => {
  expect(isExternal({ ...ended, exitCode }, 'win32')).toBe(external);
  const death = {
    signal: null,
    exitCode,
    phase: 'decode',
    external,
    unresponsive: false,
    devices: [],
    lastLines: [],
  } as const;
  expect(describeEnd(death)).toContain(`The engine's process ended with ${words}`);
});

test('elsewhere nobody chooses the exit code of a process that is killed', () => {
  expect(isExternal({ ...ended, exitCode: 1 }, 'linux')).toBe(false);
});
