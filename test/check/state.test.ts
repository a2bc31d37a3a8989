import { homedir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { stateFolder } from '../../src/check/state.js';

test('what is remembered lies where the system has such things, or where the user says', () => {
  const below = (...names: string[]) => join(homedir(), ...names, 'meditron');
  expect(stateFolder({}, 'linux')).toBe(below('.local', 'state'));
  expect(stateFolder({ XDG_STATE_HOME: '/var/mine' }, 'linux')).toBe(join('/var/mine', 'meditron'));
  expect(stateFolder({ XDG_STATE_HOME: 'relative' }, 'linux')).toBe(below('.local', 'state'));
  expect(stateFolder({ XDG_STATE_HOME: '/var/mine' }, 'darwin')).toBe(below('Library', 'Application Support'));
  expect(stateFolder({ LOCALAPPDATA: '/local' }, 'win32')).toBe(join('/local', 'meditron'));
  expect(stateFolder({ MEDITRON_STATE: '/mine', XDG_STATE_HOME: '/var' }, 'linux')).toBe('/mine');
  expect(stateFolder({ MEDITRON_STATE: 'none' }, 'linux')).toBeUndefined();
});
