import { afterEach, expect, test } from 'vitest';
import { loadModel } from '../../src/host/load.js';
import type { LaunchOptions } from '../../src/host/transport.js';

const versions = process.versions;
afterEach(() => {
  Object.defineProperty(process, 'versions', { value: versions });
});

function inElectron(): void {
  Object.defineProperty(process, 'versions', { value: { ...versions, electron: '45.5.0' } });
}

const path = '/nowhere/model.gguf';

test.each([
  ['nothing is said', undefined, /`isolate` in a process of Electron/],
  ['it is only said that it be isolated', true, /`isolate\.execPath` in a process of Electron, got none/],
  ['only onDeath is given', { onDeath: () => {} }, /`isolate\.execPath` in a process of Electron, got none/],
])('in Electron no model is loaded where %s; the error says what to give', async (_, isolate, message) => {
  inElectron();
  const loading = loadModel({ path, isolate });
  await expect(loading).rejects.toMatchObject({ code: 'ERR_OPTION', message: expect.stringMatching(message) });
  await expect(loading).rejects.toThrow('docs/electron.md');
});

test('in Electron a model is loaded in its own process where that is asked for in so many words', async () => {
  inElectron();
  await expect(loadModel({ path, isolate: false })).rejects.toMatchObject({ code: 'ERR_MODEL_FILE' });
});

test('in Electron the program that was named is started, able to run as Node if it is Electron itself', async () => {
  inElectron();
  let started: LaunchOptions | undefined;
  const launch = (options: LaunchOptions): never => {
    started = options;
    throw new Error('enough');
  };
  await expect(loadModel({ path, isolate: { execPath: '/app/node', launch } })).rejects.toThrow('enough');
  expect(started).toMatchObject({ execPath: '/app/node', env: { ELECTRON_RUN_AS_NODE: '1' } });
});
