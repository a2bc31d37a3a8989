import { expect, test } from 'vitest';
import { checkRelease } from '../../src/native/build.js';
import { loadAddon } from '../../src/native/load.js';

test('the addon and its libraries are of one release, and a CPU variant was chosen', async () => {
  const { addon, cpuVariant } = await loadAddon();
  expect(() => checkRelease(addon.build, 'Again')).not.toThrow();
  expect(cpuVariant).toMatch(/^(libggml-cpu|ggml-cpu|built in)/);
  expect(addon.devices().map(device => device.type)).toContain('cpu');
});

test('what is to be hidden from backends inside the addon is hidden before anything is listed', async () => {
  const { addon } = await loadAddon();
  expect(process.env.GGML_TEST_HIDDEN).toBeUndefined();
  addon.loadBackends('', [], ['GGML_TEST_HIDDEN']);
  expect(process.env.GGML_TEST_HIDDEN).toBe('-1');
});

test('libraries of another release are refused', () => {
  expect(() => checkRelease({ headers: 'v0.4.0', libraries: '0.5.0-dev' }, 'Do this')).toThrow(
    /headers of llama\.cpp 0\.4\.0 and found libraries of 0\.5\.0\. Do this\./,
  );
});
