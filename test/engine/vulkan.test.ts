import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { golden, storiesPath } from './stories.js';

// A real offload without a GPU: Mesa's software device. ggml passes over such devices unless one is named.
const summary = spawnSync('vulkaninfo', ['--summary'], { encoding: 'utf8' }).stdout ?? '';
const device = summary
  .split(/^GPU/m)
  .slice(1)
  .findIndex(block => block.includes('llvmpipe'));
const reason =
  device < 0
    ? 'no Vulkan software device: install mesa-vulkan-drivers, libvulkan1 and vulkan-tools to run this'
    : undefined;
if (reason) console.warn(`Vulkan offload is not tested here: ${reason}`);

test.skipIf(reason !== undefined)(
  'all layers on a Vulkan device give the golden text',
  async () => {
    process.env.GGML_VK_VISIBLE_DEVICES = String(device);
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
