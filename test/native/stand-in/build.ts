import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { packageFolder } from '../../../src/check/project.js';
import { readBuild } from '../../../src/native/build.js';

export const root = packageFolder();
export const build = readBuild(root);

/** Why the stand-in cannot be had here; undefined where it can. */
export const reason = !process.platform.startsWith('linux')
  ? 'the stand-in backend is linked as on Linux'
  : build.kind === 'source'
    ? 'a source build loads no backend from a file'
    : spawnSync('cc', ['--version']).status !== 0
      ? 'no C compiler'
      : undefined;

/** Compiles the stand-in backend (backend.c) to `out`. */
export function buildStandIn(out: string): void {
  const ggmlLibrary = readdirSync(build.libraries).find(name => /^libggml\.v.*\.so$/.test(name))!;
  const ggml = join(root, 'build', 'llama.cpp', 'ggml');
  const result = spawnSync(
    'cc',
    [
      ...['-shared', '-fPIC', '-O1', '-o', out, resolve(import.meta.dirname, 'backend.c')],
      ...[`-I${join(ggml, 'include')}`, `-I${join(ggml, 'src')}`],
      ...[`-L${build.libraries}`, `-Wl,-rpath,${build.libraries}`, `-l:${ggmlLibrary}`, '-l:libggml-base.so'],
    ],
    { encoding: 'utf8', cwd: dirname(out) },
  );
  if (result.status !== 0) throw new Error(result.stderr);
}
