// Bundles the three parts of the app into dist/. What is not ours stays outside: electron, and meditron, which finds its files by where it lies.
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const folder = fileURLToPath(new URL('.', import.meta.url));

/** @param {string} out the folder to write to */
export async function bundle(out = join(folder, 'dist')) {
  const common = { absWorkingDir: folder, bundle: true, logLevel: 'warning' };
  await Promise.all([
    build({
      ...common,
      entryPoints: ['src/main.ts'],
      outfile: join(out, 'main.js'),
      platform: 'node',
      format: 'esm',
      target: 'node24',
      packages: 'external',
    }),
    // A sandboxed preload script is one CommonJS file.
    build({
      ...common,
      entryPoints: ['src/preload.ts'],
      outfile: join(out, 'preload.cjs'),
      platform: 'node',
      format: 'cjs',
      target: 'chrome140',
      external: ['electron'],
    }),
    build({
      ...common,
      entryPoints: ['src/renderer/app.ts'],
      outfile: join(out, 'renderer', 'app.js'),
      platform: 'browser',
      format: 'esm',
      target: 'chrome140',
    }),
    ...['index.html', 'style.css'].map(name => cp(join(folder, 'src', 'renderer', name), join(out, 'renderer', name))),
  ]);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await bundle();
