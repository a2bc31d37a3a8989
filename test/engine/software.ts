import { spawnSync } from 'node:child_process';
import { packageFolder } from '../../src/check/project.js';
import { gpuBackends } from '../../src/native/backends.js';
import { readBuild } from '../../src/native/build.js';

// A real offload without a GPU: Mesa's software device. ggml passes over such devices unless one is named.
const summary = spawnSync('vulkaninfo', ['--summary'], { encoding: 'utf8' }).stdout ?? '';
const device = summary
  .split(/^GPU/m)
  .slice(1)
  .findIndex(block => block.includes('llvmpipe'));

// `npm ci` leaves the backend out: `npm run libraries -- linux-x64-vulkan` brings it.
const root = packageFolder();
const backend = gpuBackends(root, readBuild(root)).find(({ name }) => name === 'Vulkan');

const reason =
  device < 0
    ? 'no Vulkan software device: install mesa-vulkan-drivers, libvulkan1 and vulkan-tools to run this'
    : backend === undefined
      ? 'there is no Vulkan backend for this build'
      : backend.path === null
        ? `${backend.reason}. ${backend.add ?? 'Run `npm run libraries -- linux-x64-vulkan`'}`
        : undefined;

/** Variables under which a Vulkan device is found; undefined where there is none to be had. */
export const vulkan = reason === undefined ? { GGML_VK_VISIBLE_DEVICES: String(device) } : undefined;

if (reason) console.warn(`Vulkan offload is not tested here: ${reason}`);
