import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { vulkan } from './software.js';
import { golden, storiesPath } from './stories.js';

test.skipIf(!vulkan)(
  'all layers on a Vulkan device give the golden text',
  async () => {
    Object.assign(process.env, vulkan);
    const { loadModel } = await import('../../src/host/load.js');
    await using model = await loadModel({ path: storiesPath });
    expect(model.info.gpuLayers).toBe(6);
    expect(model.info.devices.map(used => used.backend)).toContain('Vulkan');
    await using engine = await model.createEngine({ threads: 1, contextSize: 256 });
    let text = '';
    for await (const event of engine.generate({ prompt: '', maxTokens: 60 }))
      if (event.type === 'text') text += event.text;
    expect(text.length).toBeGreaterThan(100);
    expect(golden.startsWith(text)).toBe(true);
  },
  600_000, // the first run compiles every shader on the CPU
);

test.skipIf(!vulkan)('a device that is not there ends nothing: models run on the CPU, and it is said why', () => {
  const env = { ...process.env, GGML_VK_VISIBLE_DEVICES: '99' };
  const program = fileURLToPath(new URL('../../bin/meditron.js', import.meta.url));
  const { status, stdout } = spawnSync(process.execPath, [program, 'devices', '--json'], { env, encoding: 'utf8' });
  const { devices, warnings } = JSON.parse(stdout);
  expect(status).toBe(0);
  expect(devices.map(({ type }: { type: string }) => type)).toEqual(['cpu']);
  expect(warnings).toEqual([expect.stringMatching(/Vulkan .*Invalid device index 99.*Models run on the CPU/)]);
});
