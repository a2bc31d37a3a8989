import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { exitCodes } from '../../src/check/errors.js';
import { writeGguf } from '../../src/gguf/writer.js';
import { sourcesOf, tinyModel } from '../../src/synth/tiny.js';
import { meditron, model } from '../cli/command.js';

// Every block of code on the guides' pages, and every command of README, is run word by word, in a folder that has the project and
// `model.gguf`, which stands for the reader's model. The blocks of a page are run in its order, in one folder.

const root = resolve(import.meta.dirname, '..', '..');
const guides = readdirSync(join(root, 'docs')).filter(name => name.endsWith('.md'));
const textOf = (page: string) => readFileSync(join(root, page), 'utf8');

interface Block {
  readonly page: string;
  readonly language: string;
  /** Why it is not run; undefined if it is. */
  readonly reason: string | undefined;
  readonly code: string;
}

const written: readonly Block[] = guides.flatMap(name =>
  [...textOf(`docs/${name}`).matchAll(/^```(\S*)(?: not run here: ([^\n]*))?\n(.*?)^```$/gms)].map(
    ([, language, reason, code]) => ({ page: name, language: language!, reason, code: code! }),
  ),
);

/** Commands of README that are not run here, with the reason. */
const elsewhere: Readonly<Record<string, string>> = {
  'npm ci && npm start': 'installs into the checkout itself; what it starts is run below',
  'npm ci && npm test': 'these are the tests themselves; .ci/run runs these words',
  'npm run pack:all -- --out tarballs': 'needs cross compilers; test/install/tarballs.ts runs it for each platform',
  'npm run bundle -- --platform win32-x64 --out "Meditron for Windows"':
    'needs a packed package; test/bundle/ makes one',
};
// README marks nothing: each of its commands is a block, run once if a guide has it too. Its TypeScript is run by test/readme.engine.test.ts.
const readme: readonly Block[] = [...textOf('README.md').matchAll(/^```sh\n(.*?)^```$/gms)]
  .flatMap(([, code]) => code!.trim().split('\n'))
  .map(line => line.replace(/ {2,}#.*$/, ''))
  .filter(line => !written.some(({ code, reason }) => reason === undefined && code.includes(line)))
  .map(code => ({ page: 'README.md', language: 'sh', reason: elsewhere[code], code }));
const blocks = [...written, ...readme];

test('what README names is run here, or there is a reason why not', () => {
  const apart = readme.filter(({ reason }) => reason !== undefined);
  expect(apart.map(({ code }) => code)).toEqual(Object.keys(elsewhere));
  expect(readme.length).toBeGreaterThan(apart.length);
});

test('what is not run is this, for these reasons', () => {
  const marked = written.filter(({ reason }) => reason !== undefined);
  expect(marked.map(({ page, reason }) => `${page}: ${reason}`).sort()).toEqual([
    "building.md: compiles llama.cpp, and needs the GPU's toolkit",
    'building.md: downloads hundreds of megabytes',
    'building.md: installs into the checkout itself; .ci/run runs these words',
    'building.md: needs cross compilers; .ci/run has them',
    'building.md: these are the tests themselves',
    'electron.md: needs Electron',
    'embedding.md: needs the npm registry; test/install/ installs the same tarballs',
    'models.md: fetches from the internet; test/models/fetch.test.ts fetches from this machine',
    'models.md: needs the weights, PyTorch and a compiler',
    'serving.md: ends when it is interrupted; test/cli/serve.test.ts starts it',
    'serving.md: needs Python and the harness; test/clients/harness.py runs its code where it is installed',
    "stick.md: needs the registry, and a platform's packed package; test/bundle/ makes and starts one",
  ]);
});

test('every fence belongs to a block that says what language it is in', () => {
  const fences = guides.flatMap(name => textOf(`docs/${name}`).match(/^```/gm) ?? []);
  expect(fences).toHaveLength(2 * written.length);
  expect([...new Set(written.map(({ language }) => language))].sort()).toEqual(['sh', 'ts']);
});

test('every error code is explained', () => {
  const rows = [...textOf('docs/troubleshooting.md').matchAll(/^\| `(ERR_\w+)` \|/gm)].map(([, code]) => code!);
  expect(rows.sort()).toEqual([...Object.keys(exitCodes), 'ERR_FAULT'].sort());
});

// Within the project, so that its packages are found; its own entries are links.
const folders = new Map<string, string>();
beforeAll(async () => {
  await meditron(['--version']); // builds what the blocks import
  for (const page of [...guides, 'README.md']) {
    const folder = mkdtempSync(join(root, 'build', 'docs-'));
    folders.set(page, folder);
    for (const entry of ['package.json', 'bin', 'dist', 'models', 'native', 'node_modules', 'scripts', 'src', 'build'])
      symlinkSync(join(root, entry), join(folder, entry));
    symlinkSync(model, join(folder, 'model.gguf'));
  }
  const place = folders.get('README.md')!;
  writeFileSync(join(place, 'question.txt'), 'Is aspirin an antibiotic?\nA. yes\nB. no\n');
  // Known by its name, as the reader's would be: any weights will do.
  const { metadata, tensors } = tinyModel({ architecture: 'llama', hyper: { context: 1792, layers: 1 } });
  await writeGguf(join(place, 'meditron-7b.Q4_K_M.gguf'), metadata, sourcesOf(tensors));
}, 600_000);
afterAll(() => {
  for (const folder of folders.values()) rmSync(folder, { recursive: true, force: true });
});

const compiler = ['--strict', '--noUncheckedIndexedAccess', '--exactOptionalPropertyTypes', '--skipLibCheck']
  .concat(['--module', 'nodenext', '--target', 'es2023', '--lib', 'es2023,esnext.disposable', '--types', 'node'])
  .concat(['--ignoreConfig']);

const run = (folder: string, command: string, args: readonly string[]) =>
  spawnSync(command, args, { cwd: folder, encoding: 'utf8', env: { ...process.env, NO_COLOR: '1' } });
const runnable = blocks.filter(({ reason }) => reason === undefined);
const fileOf = (i: number) => join(folders.get(runnable[i]!.page)!, `block-${i}.mts`);

let faults: string | undefined;
/** What the compiler says of all blocks of TypeScript, compiled at once. */
function compiled(): string {
  if (faults === undefined) {
    const files = runnable.flatMap(({ language }, i) => (language === 'ts' ? [fileOf(i)] : []));
    for (const [i, { language, code }] of runnable.entries()) if (language === 'ts') writeFileSync(fileOf(i), code);
    const tsc = join(root, 'node_modules/typescript/bin/tsc');
    faults = run(root, process.execPath, [tsc, ...compiler, ...files]).stdout;
  }
  return faults;
}

for (const [i, { page, language, code }] of runnable.entries()) {
  test(`${page}: ${code.trim().split('\n')[0]}`, () => {
    const folder = folders.get(page)!;
    if (language === 'sh') {
      const { status, stdout, stderr } = run(folder, 'bash', ['-euo', 'pipefail', '-c', code]);
      expect(status, `${stdout}${stderr}`).toBe(0);
      return;
    }
    expect(compiled()).toBe('');
    const { status, stdout, stderr } = run(folder, process.execPath, [`block-${i}.mjs`]);
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout).not.toBe('');
  });
}
