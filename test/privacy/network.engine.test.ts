import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { hasStrace, networkOf, root, Sandbox, stories, withoutNetwork } from './watched.js';

const sandbox = new Sandbox();
afterAll(() => sandbox.remove());

const library = pathToFileURL(join(root, 'dist', 'index.js')).href;
const programs: Readonly<Record<string, string>> = {
  'importing the library': `import ${JSON.stringify(library)};`,
  'loading a model and generating': `
    import { readFileSync } from 'node:fs';
    import { ask, loadModel } from ${JSON.stringify(library)};
    const model = await loadModel({ path: ${JSON.stringify(stories)} });
    const engine = await model.createEngine({ threads: 1, contextSize: 512, maxSequences: 2 });
    for await (const _ of engine.generate({ prompt: 'Once upon a time', maxTokens: 4 }));
    await ask(engine, { kind: 'choice', question: 'Which?', options: ['one', 'two'] }, { mode: 'top-token', format: 'raw' });
    await engine.close();
    await model.close();
    if (process.platform === 'linux') console.log(readFileSync('/proc/self/maps', 'utf8'));`,
};

test.each(Object.entries(programs))('%s loads no module of a network and opens no socket to one', async (_, source) => {
  const file = join(sandbox.cwd, 'program.mjs');
  writeFileSync(file, source);
  const ended = await sandbox.node([file]);
  expect(ended.code, ended.stderr.toString()).toBe(0);
  expect(networkOf(ended)).toEqual([]);
});

test('the watchers see what they are there to see', async () => {
  const file = join(sandbox.cwd, 'talks.mjs');
  writeFileSync(file, `await import('node:dns'); await fetch('http://127.0.0.1:49151/').catch(() => {});`);
  const ended = await sandbox.node([file]);
  expect(networkOf(ended)).toContain(`node:dns from ${pathToFileURL(file).href}`);
  expect(networkOf(ended)).toContain('NativeModule internal/deps/undici/undici in the end');
});

test.skipIf(!hasStrace)('the kernel is asked, too (skipped where strace is missing or may not trace)', async () => {
  const file = join(sandbox.cwd, 'connects.mjs');
  writeFileSync(file, `import { connect } from 'node:net'; connect(49151, '127.0.0.1').on('error', () => {});`);
  expect(networkOf(await sandbox.node([file])).join('\n')).toMatch(/connect\(.*AF_INET/);
});

test.skipIf(withoutNetwork.length === 0)(
  'all of this ran without a network (skipped where `unshare -n` is not allowed)',
  async () => {
    const file = join(sandbox.cwd, 'interfaces.mjs');
    writeFileSync(
      file,
      `import { networkInterfaces } from 'node:os'; console.log(Object.keys(networkInterfaces()).length);`,
    );
    expect((await sandbox.node([file])).stdout.toString()).toBe('0\n');
  },
);

const hasNm = spawnSync('nm', ['--version'], { stdio: 'ignore' }).status === 0;

test.skipIf(!hasNm || process.platform !== 'linux')(
  'no native library that is loaded asks for a name, a connection or a server (skipped without nm: binutils)',
  async () => {
    const file = join(sandbox.cwd, 'program.mjs');
    writeFileSync(file, programs['loading a model and generating']!);
    const maps = (await sandbox.node([file])).stdout.toString();
    const own = [...maps.matchAll(/\s(\/.*\.(?:node|so[.\d]*))$/gm)]
      .map(([, path]) => path!)
      .filter(path => path.startsWith(root));
    const libraries = [...new Set(own)];
    expect(libraries.length).toBeGreaterThan(0);
    const reaching = libraries.flatMap(library => {
      const { stdout, status } = spawnSync('nm', ['-D', '--undefined-only', library], { encoding: 'utf8' });
      expect(status, library).toBe(0);
      const names = stdout.split('\n').map(line =>
        line
          .trim()
          .replace(/^[Uw] /, '')
          .replace(/@.*/, ''),
      );
      return names.filter(name => reaches.test(name)).map(name => `${library}: ${name}`);
    });
    expect(reaching).toEqual([]);
  },
);

const reaches = /^(connect|bind|listen|accept4?|getaddrinfo|gethostby\w+|send(to|msg)|res_\w+|SSL_\w+|curl_\w+)$/;
