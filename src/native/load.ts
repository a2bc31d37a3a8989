import { MeditronError } from '../check/errors.js';
import { packageFolder } from '../check/project.js';
import type { Addon, BackendReport, Device } from './addon.js';
import { builtInBackends, gpuBackends } from './backends.js';
import { addonError, type Build, checkLibraries, readBuild, requireAddon } from './build.js';
import { type Choice, chooseBackend, hasComputed, isGpu, killsWhenListed, takeBuiltIn, wasTried } from './choice.js';
import { countCores } from './cores.js';
import { Shared } from './shared.js';
import { type VerdictSettings, verdictOn } from './verdicts.js';

/** The loaded addon and the CPU. */
export interface LoadedAddon {
  readonly addon: Addon;
  /** Path of the compiled addon. */
  readonly path: string;
  /** File name of the CPU variant in use, as `libggml-cpu-haswell.so`, or `built in` for a source build. */
  readonly cpuVariant: string;
}

/** The addon with the GPUs that models may be put on. */
export interface LoadedGpus extends LoadedAddon, Choice {
  /** What there is now: the CPU, and GPUs that have computed something. */
  list(): Device[];
}

const shared = new Shared(signal => load(signal).catch(plainly));
const sharedGpus = new Shared(signal => loadWithGpus({ signal }).catch(plainly));

/**
 * Loads the native addon with the CPU, once per thread. GPU backends of their own are left alone; one that is inside the addon is
 * tried first, in another process, unless it has been before.
 *
 * @throws MeditronError `ERR_ADDON` if the addon has not been built, or was built with headers of another llama.cpp release
 *   than the libraries it finds; the signal's reason
 */
export async function loadAddon(signal?: AbortSignal): Promise<LoadedAddon> {
  return (await shared.wait(signal)).loaded;
}

/**
 * The same with the GPU backend that can be used, once per thread: each is tried in a process of its own before it comes into this
 * one. The first time that takes seconds, or a minute where a driver compiles kernels; what was found is remembered.
 */
export function loadGpus(signal?: AbortSignal): Promise<LoadedGpus> {
  return sharedGpus.wait(signal);
}

/** What is known of every GPU backend, for showing it: with `again` all of them are tried now. Loads what models would be put on. */
export function examineGpus(settings: VerdictSettings): Promise<LoadedGpus> {
  return settings.again ? loadWithGpus(settings).catch(plainly) : loadGpus(settings.signal);
}

interface Loaded {
  readonly loaded: LoadedAddon;
  readonly build: Build;
  readonly root: string;
  /** Of the backends inside the addon. */
  readonly builtIn: Choice | undefined;
}

async function load(signal: AbortSignal, settings: VerdictSettings = { signal }): Promise<Loaded> {
  const root = packageFolder();
  const build = readBuild(root);
  const builtIn = await tryBuiltIn(root, build, settings);
  const addon = requireAddon(build.addon, build.repair);
  countCores(addon);
  checkLibraries(addon, build);
  const [cpu] = addon.loadBackends(build.libraries, [], builtIn?.hidden ?? []) as [BackendReport];
  if (!cpu.loaded) throw addonError([`llama.cpp found no CPU backend: ${cpu.message}`], build.repair);
  const cpuVariant = build.kind === 'source' ? 'built in' : cpu.path.replace(/^.*[\\/]/, '');
  return { loaded: { addon, path: build.addon, cpuVariant }, build, root, builtIn: builtIn?.choice };
}

/** An error of the file system says which file; what it means is that there is no addon. */
function plainly(cause: unknown): never {
  if (cause instanceof MeditronError || !(cause instanceof Error) || !('syscall' in cause)) throw cause;
  throw new MeditronError('ERR_ADDON', `The native addon could not be loaded: ${cause.message}`, { cause });
}

/** Tries the backends inside the addon, which come into the process with it: those that would kill it are hidden. */
async function tryBuiltIn(root: string, build: Build, settings: VerdictSettings) {
  if (build.builtIn.length === 0) return undefined;
  const candidates = builtInBackends(build);
  const report = await verdictOn(root, build, candidates, settings);
  const choice = takeBuiltIn(candidates, report);
  if (!killsWhenListed(report)) return { choice, hidden: [] };
  if (build.builtIn.includes('Metal'))
    throw new MeditronError('ERR_ADDON', `${choice.warnings[0]}. Without Metal: \`npm run build -- --source\``);
  return { choice, hidden: ['CUDA_VISIBLE_DEVICES', 'GGML_DISABLE_VULKAN'] };
}

async function loadWithGpus(settings: VerdictSettings): Promise<LoadedGpus> {
  const { loaded, build, root, builtIn } = settings.again
    ? await load(new AbortController().signal, settings)
    : await shared.wait(settings.signal);
  const { addon } = loaded;
  const choice =
    builtIn ??
    (await chooseBackend(gpuBackends(root, build), one => verdictOn(root, build, [one], settings), settings.again));
  const path = choice.backends.find(backend => backend.used)?.path;
  const warnings = [...choice.warnings];
  const report = path ? addon.loadBackends(build.libraries, [path], [])[1] : undefined;
  if (report?.loaded === false)
    warnings.push(`${path} computed when it was tried and does not load now: ${report.message}`);
  const untried = addon.devices().filter(device => isGpu(device) && !wasTried(choice, device));
  for (const { name, description } of untried)
    warnings.push(
      `${name} (${description}) was not there when GPUs were tried: \`meditron devices --probe\` tries again`,
    );
  const list = () => addon.devices().filter(device => !isGpu(device) || hasComputed(choice, device));
  return { ...loaded, ...choice, warnings, list };
}
