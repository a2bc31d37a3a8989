import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build as esbuild } from 'esbuild';
import { beforeAll, describe, expect, test } from 'vitest';
import { client, installed, project, run, workFolder } from './shell.js';
import { root } from './tarballs.js';

const folder = workFolder('bundlers');
const app = join(folder, 'app');
const stories = JSON.stringify(join(root, 'models', 'stories260K.gguf'));
const source = `
  import { loadModel } from 'meditron';
  loadModel({ path: ${stories}, isolate: process.argv[2] === 'isolated' }).then(
    model => model.close().then(() => console.log('loaded')),
    error => console.log(error.code, error.message),
  );`;

beforeAll(async () => {
  installed(app);
  writeFileSync(join(app, 'program.mjs'), source);
});

interface Packed {
  readonly entry: string;
  readonly out: string;
  readonly esm: boolean;
}

/** Each with the line for it that the error and README name. */
const bundlers: Record<string, (packed: Packed, external: boolean) => Promise<unknown>> = {
  esbuild: ({ entry, out, esm }, external) =>
    esbuild({
      entryPoints: [entry],
      outfile: out,
      bundle: true,
      platform: 'node',
      format: esm ? 'esm' : 'cjs',
      logLevel: 'silent',
      ...(external && { external: ['meditron'] }),
      ...(esm && {
        banner: {
          js: "import { createRequire as requireFrom } from 'node:module'; const require = requireFrom(import.meta.url);",
        },
      }),
    }),
  webpack: async ({ entry, out, esm }, external) => {
    const { default: webpack } = await import(
      pathToFileURL(createRequire(client('webpack', 'package.json')).resolve('webpack')).href
    );
    const configuration = {
      mode: 'production',
      target: 'node20',
      entry,
      output: { path: join(out, '..'), filename: out.slice(join(out, '..').length + 1), ...(esm && { module: true }) },
      ...(esm && { experiments: { outputModule: true } }),
      ...(external && { externals: { meditron: 'module meditron' } }),
    };
    await new Promise<void>((resolve, reject) =>
      webpack(configuration, (error: Error | null, stats: { hasErrors(): boolean; toString(): string }) =>
        error || stats.hasErrors() ? reject(error ?? new Error(stats.toString())) : resolve(),
      ),
    );
  },
  Rollup: async ({ entry, out, esm }) => {
    const { rollup } = await import(pathToFileURL(client('rollup', 'dist', 'es', 'rollup.js')).href);
    const bundle = await rollup({ input: entry, external: ['meditron'] });
    await bundle.write({ file: out, format: esm ? 'es' : 'cjs' });
  },
};

describe.each(Object.entries(bundlers))('%s', (name, bundle) => {
  const formats = name === 'webpack' ? [true] : [true, false];
  test.each(formats)(
    'with the line that leaves the package out makes a program that works (ES module: %s)',
    async esm => {
      const out = join(app, 'out', `${name}-${esm}.${esm ? 'mjs' : 'cjs'}`);
      await bundle({ entry: join(app, 'program.mjs'), out, esm }, true);
      for (const how of ['in process', 'isolated'])
        expect(await run('node', [out, how], { cwd: app })).toMatchObject({ status: 0, stdout: 'loaded\n' });
    },
  );

  // Rollup by itself bundles no package.
  if (name === 'Rollup') return;
  test('without it makes a program that says so', async () => {
    // Bundled where the package is installed, and run where it is not.
    const built = join(folder, `${name} built`);
    mkdirSync(built);
    cpSync(join(app, 'node_modules'), join(built, 'node_modules'), { recursive: true, verbatimSymlinks: true });
    writeFileSync(join(built, 'program.mjs'), source);
    project(built);
    const out = join(folder, `${name} alone`, 'program.mjs');
    await bundle({ entry: join(built, 'program.mjs'), out, esm: true }, false);
    rmSync(built, { recursive: true });
    const { status, stdout } = await run('node', [out], { cwd: folder });
    expect(status).toBe(0);
    expect(stdout).toMatch(
      /^ERR_ADDON .*seems to be a bundle\. Install `meditron` where the bundle runs, and leave it out/,
    );
    expect(stdout).toContain({ esbuild: '--external:meditron', webpack: "meditron: 'module meditron'" }[name]!);
  });
});
