import { spawnSync } from 'node:child_process';

// A real offload without a GPU: Mesa's software device. ggml passes over such devices unless one is named.
const summary = spawnSync('vulkaninfo', ['--summary'], { encoding: 'utf8' }).stdout ?? '';
const device = summary
  .split(/^GPU/m)
  .slice(1)
  .findIndex(block => block.includes('llvmpipe'));

/** Variables under which a Vulkan device is found; undefined where there is none to be had. */
export const vulkan = device < 0 ? undefined : { GGML_VK_VISIBLE_DEVICES: String(device) };

if (!vulkan)
  console.warn(
    'Vulkan offload is not tested here: no Vulkan software device: install mesa-vulkan-drivers, libvulkan1 and vulkan-tools to run this',
  );
