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
