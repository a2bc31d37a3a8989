import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { installed, run, workFolder } from './shell.js';
import { platform, root, version } from './tarballs.js';

const folder = workFolder('two');
const app = join(folder, 'app');
const inner = join(app, 'node_modules', 'other', 'node_modules');
const golden = readFileSync(join(root, 'test/fixtures/stories260K.greedy.txt'), 'utf8');
const stories = JSON.stringify(join(root, 'models', 'stories260K.gguf'));

const program = `
  const packages = [await import('meditron'), await import('./node_modules/other/index.mjs')];
  const isolate = process.argv[2] === 'isolated';
  for (const { loadModel } of packages) {
    try {
      const model = await loadModel({ path: ${stories}, isolate });
      const engine = await model.createEngine({ threads: 1, contextSize: 256 });
      let text = '';
      for await (const event of engine.generate({ prompt: '', maxTokens: 40 })) if (event.type === 'text') text += event.text;
      await engine.close();
      await model.close();
      console.log(JSON.stringify({ text }));
    } catch ({ code, message }) {
      console.log(JSON.stringify({ code, message }));
    }
  }`;

interface Said {
  readonly text?: string;
  readonly code?: string;
  readonly message?: string;
}

/** What each of the two came to. */
async function both(how: string): Promise<readonly [Said, Said]> {
  const { status, stdout, stderr } = await run('node', ['program.mjs', how], { cwd: app });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  return stdout
    .trim()
    .split('\n')
    .map(line => JSON.parse(line)) as unknown as readonly [Said, Said];
}

const isGolden = ({ text }: Said) => text !== undefined && text.length > 60 && golden.startsWith(text);

beforeAll(async () => {
  installed(app);
  // Another version, which another package needs: it has an addon and libraries of its own.
  mkdirSync(inner, { recursive: true });
  for (const name of ['meditron', `@meditron/${platform}`]) {
    cpSync(join(app, 'node_modules', name), join(inner, name), { recursive: true });
    const file = join(inner, name, 'package.json');
    writeFileSync(file, readFileSync(file, 'utf8').replaceAll(version, '0.0.1'));
  }
  writeFileSync(join(inner, '..', 'package.json'), '{"name":"other","type":"module"}');
  writeFileSync(join(inner, '..', 'index.mjs'), "export * from 'meditron';");
  writeFileSync(join(app, 'program.mjs'), program);
});

test('two versions with one release of llama.cpp work in one process', async () => {
  expect((await both('in process')).map(isGolden)).toEqual([true, true]);
});

test('two versions work side by side, each isolated', async () => {
  expect((await both('isolated')).map(isGolden)).toEqual([true, true]);
});

test('of two versions with different releases the second is refused in one process, and works isolated', async () => {
  // The system loads a library once by its name: the second addon would compute with the first one's.
  const file = join(app, 'node_modules', `@meditron/${platform}`, 'addon.json');
  writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, 'utf8')), release: 'v0.3.0' }));
  const [first, second] = await both('in process');
  expect(isGolden(first)).toBe(true);
  expect(second).toMatchObject({
    code: 'ERR_ADDON',
    message: expect.stringMatching(/another llama\.cpp .*v0\.3\.0.*isolate: true/),
  });
  expect((await both('isolated')).map(isGolden)).toEqual([true, true]);
});
