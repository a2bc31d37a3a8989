import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { meditron, model } from './cli/command.js';

const root = resolve(import.meta.dirname, '..');
const folder = join(root, 'build', 'readme'); // within the package, so that it finds itself by its name
const blocks = [...readFileSync(join(root, 'README.md'), 'utf8').matchAll(/^```(?:ts|js)\n(.*?)^```/gms)].map(
  ([, code]) => code!,
);

beforeAll(async () => {
  await meditron(['--version']); // builds what the examples import
  mkdirSync(folder, { recursive: true });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('the README shows how the library is used', () => {
  expect(blocks.length).toBeGreaterThan(0);
});

// Node before 24 does not know `await using`: an example that needs it cannot be run there.
const old = Number(process.versions.node.split('.')[0]) < 24;
for (const [i, block] of blocks.entries()) {
  test.skipIf(old && block.includes('await using'))(`example ${i + 1} of the README runs as it stands`, () => {
    const file = join(folder, `example-${i + 1}.mjs`);
    writeFileSync(file, block.replaceAll(/[\w./-]+\.gguf/g, model));
    const { status, stdout, stderr } = spawnSync(process.execPath, [file], { encoding: 'utf8', cwd: root });
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout).not.toBe('');
  });
}
