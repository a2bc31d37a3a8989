import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { buildSync } from 'esbuild';
import { afterAll, expect, test } from 'vitest';

const root = resolve(import.meta.dirname, '..');
const folder = mkdtempSync(join(tmpdir(), 'meditron-bundler-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const program = `
import { loadModel, parseQuestionText, MeditronError } from ${JSON.stringify(join(root, 'dist', 'index.js'))};
parseQuestionText('Which?\\nA. this\\nB. that');
loadModel({ path: ${JSON.stringify(join(root, 'models', 'stories260K.gguf'))} }).then(
  model => model.close().then(() => console.log('loaded')),
  error => console.log(error instanceof MeditronError, error.code, error.message),
);`;

function runBundle(format: 'esm' | 'cjs', place: string) {
  mkdirSync(join(folder, place), { recursive: true });
  writeFileSync(join(folder, 'program.mjs'), program);
  const outfile = join(folder, place, format === 'esm' ? 'bundle.mjs' : 'bundle.cjs');
  // CommonJS dependencies need `require`, which esbuild leaves out of ES modules.
  const banner =
    "import { createRequire as requireFrom } from 'node:module'; const require = requireFrom(import.meta.url);";
  buildSync({
    entryPoints: [join(folder, 'program.mjs')],
    bundle: true,
    platform: 'node',
    logLevel: 'silent',
    format,
    outfile,
    ...(format === 'esm' && { banner: { js: banner } }),
  });
  return spawnSync(process.execPath, [outfile], { encoding: 'utf8', cwd: join(folder, place) });
}

test.each(['esm', 'cjs'] as const)(
  'a bundle (%s) can be imported anywhere, and says what it lacks when a model is loaded',
  format => {
    const { stdout, stderr } = runBundle(format, 'alone');
    expect(stderr).toBe('');
    expect(stdout).toMatch(/^true ERR_ADDON .*Install `meditron` where the bundle runs/);
  },
);

test.each(['esm', 'cjs'] as const)('a bundle (%s) beside the installed package works', format => {
  mkdirSync(join(folder, 'beside', 'node_modules'), { recursive: true });
  const link = join(folder, 'beside', 'node_modules', 'meditron');
  rmSync(link, { force: true });
  symlinkSync(root, link);
  expect(runBundle(format, 'beside')).toMatchObject({ stderr: '', stdout: 'loaded\n' });
});
