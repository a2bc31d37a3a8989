import { readdirSync, readFileSync, readlinkSync, realpathSync, statSync } from 'node:fs';
import { release } from 'node:os';
import { join } from 'node:path';
import { jsonHash } from '../check/seal.js';

/** What decides whether a backend works: when any of it is another, what was found before says nothing. */
export interface Bound {
  /** The compiled addon, the backend's file if it has one, the probe's model. */
  readonly files: readonly string[];
  /** The system's libraries that the backend needs: their files are the driver's and the runtime's, whose names hold versions. */
  readonly libraries: readonly string[];
}

/** Variables that choose devices, drivers or ways of computing. */
const choosing =
  /^(CUDA_|GGML_|NVIDIA_|HIP_|ROCR_|HSA_|VK_|MESA_|LIBGL_|GALLIUM_|LP_|RADV_|ANV_|AMD_|INTEL_|DRI_|ZE_|MTL_|METAL_|DYLD_|LD_LIBRARY_PATH$|LD_PRELOAD$)/;
/** Set by this program itself, in some processes and not in others. */
const ours = new Set(['GGML_NO_BACKTRACE', 'GGML_BACKEND_PATH']);

/** A hash of the files, the driver, the hardware and the environment. Some calls of stat; no backend is loaded. */
export function bindingOf({ files, libraries }: Bound, env: NodeJS.ProcessEnv = process.env): string {
  return jsonHash({
    probe: 1,
    system: [process.platform, process.arch, release()],
    files: files.map(stamp),
    libraries: libraries.map(stamp),
    driver: quietly(() => readFileSync('/proc/driver/nvidia/version', 'utf8')),
    hardware: hardware(),
    drivers: ['/usr/share/vulkan/icd.d', '/usr/local/share/vulkan/icd.d', '/etc/vulkan/icd.d'].flatMap(folder =>
      namesIn(folder).map(name => stamp(join(folder, name))),
    ),
    env: Object.entries(env)
      .filter(([name]) => choosing.test(name) && !ours.has(name))
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  });
}

/** A file as it is: where it really lies, its size and time. */
function stamp(path: string): readonly unknown[] {
  const real = quietly(() => realpathSync(path));
  const found = real === null ? null : quietly(() => statSync(real));
  return [path, real, found?.size ?? null, found?.mtimeMs ?? null];
}

/** The cards that Linux knows, by place and kind. Elsewhere a change of cards is found when they are listed. */
function hardware(): readonly unknown[] {
  const nvidia = namesIn('/proc/driver/nvidia/gpus');
  const rendering = namesIn('/sys/class/drm')
    .filter(name => name.startsWith('renderD'))
    .map(name => {
      const device = join('/sys/class/drm', name, 'device');
      const kind = ['vendor', 'device'].map(file => quietly(() => readFileSync(join(device, file), 'utf8').trim()));
      return [name, quietly(() => readlinkSync(device)), ...kind];
    });
  const nodes = ['/dev', '/dev/dri'].flatMap(folder =>
    namesIn(folder).filter(name => /^(nvidia\d|dxg|kfd|card|renderD)/.test(name)),
  );
  return [nvidia, rendering, nodes];
}

function namesIn(folder: string): string[] {
  return quietly(() => readdirSync(folder).sort()) ?? [];
}

function quietly<T>(read: () => T): T | null {
  try {
    return read();
  } catch {
    return null;
  }
}
