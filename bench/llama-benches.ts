// llama.cpp's own benchmarks, built from the tree that the addon was built from and run on the same kernels: no sampling, no text.
import { spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { cpuVariantOf } from './machine.js';

const root = fileURLToPath(new URL('..', import.meta.url));

export interface KernelJob {
  readonly model: string;
  readonly threads: number;
  readonly promptTokens: number;
  readonly tokens: number;
  readonly gpu: boolean;
}

/** Tokens a second, of all sequences together. */
export interface KernelSpeed {
  readonly prompt: number;
  readonly generation: number;
  readonly cpuVariant: string | null;
}

/** Where the addon was built, and where its backends are. */
export function addonFolders(): { readonly folder: string; readonly libraries: string } {
  const { addon, libraries } = JSON.parse(readFileSync(join(root, 'build', 'addon.json'), 'utf8'));
  const folder = resolve(root, dirname(addon));
  return { folder, libraries: libraries === '' ? folder : resolve(root, libraries) };
}

export class LlamaBenches {
  private constructor(
    private readonly folder: string,
    /** Where llama.cpp looks for its backends. */
    private readonly libraries: string,
  ) {}

  /** Builds them if they are not there. Throws with the compiler's words if they cannot be built. */
  static built(): LlamaBenches {
    const args = [join(root, 'scripts', 'build.js'), '--kernels', '--native-only', '--quiet'];
    const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
    if (status !== 0) throw new Error(stderr.trim());
    const { folder, libraries } = addonFolders();
    return new LlamaBenches(folder, libraries);
  }

  /** `llama-batched-bench`: `sequences` at once behind one shared prompt, in one unified cache. */
  async batched({ model, threads, promptTokens, tokens, gpu }: KernelJob, sequences: number): Promise<KernelSpeed> {
    const cells = Math.ceil((promptTokens + sequences * tokens) / 256) * 256;
    const shape = ['-npp', promptTokens, '-ntg', tokens, '-npl', sequences, '-c', cells, '-b', 512, '-ub', 512];
    const shared = ['-pps', '-kvu', '-fa', 'on', '--output-format', 'jsonl'];
    const machine = ['-t', threads, '-tb', threads, '-ngl', gpu ? 99 : 0];
    const { line, cpuVariant } = await this.#run('llama-batched-bench', ['-m', model, ...shape, ...shared, ...machine]);
    const { speed_pp: prompt, speed_tg: generation } = line as { speed_pp: number; speed_tg: number };
    return { prompt, generation, cpuVariant };
  }

  /** `llama-bench`: one stream from an empty cache. */
  async stream({ model, threads, promptTokens, tokens, gpu }: KernelJob): Promise<KernelSpeed> {
    const shape = ['-p', promptTokens, '-n', tokens, '-r', 1, '-b', 512, '-ub', 512, '-fa', 1, '-o', 'jsonl'];
    const machine = ['-t', threads, '-ngl', gpu ? 99 : 0];
    const { lines, cpuVariant } = await this.#run('llama-bench', ['-m', model, ...shape, ...machine]);
    const speed = (tokens: 'n_prompt' | 'n_gen') => lines.find(line => line[tokens]! > 0)!.avg_ts!;
    return { prompt: speed('n_prompt'), generation: speed('n_gen'), cpuVariant };
  }

  /** Runs a program that prints one JSON object a line. */
  async #run(program: string, args: readonly (string | number)[]) {
    const child = spawn(join(this.folder, program), args.map(String), {
      cwd: this.libraries,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let errors = '';
    child.stderr.on('data', (text: Buffer) => {
      errors += text;
    });
    const closed = new Promise<number | null>((done, fail) => child.once('close', done).once('error', fail));
    const lines: Record<string, number>[] = [];
    let cpuVariant: string | null = null;
    for await (const line of createInterface(child.stdout)) {
      if (!line.startsWith('{')) continue;
      // Once it has printed, its libraries are loaded.
      if (child.exitCode === null) cpuVariant ??= variantOf(child.pid!);
      lines.push(JSON.parse(line));
    }
    const code = await closed;
    if (code !== 0 || lines.length === 0) throw new Error(`${program} ended with ${code}: ${errors.slice(-2000)}`);
    return { line: lines[0]!, lines, cpuVariant };
  }
}

/** Null too if the process has ended. */
function variantOf(pid: number): string | null {
  try {
    return cpuVariantOf(pid);
  } catch {
    return null;
  }
}
