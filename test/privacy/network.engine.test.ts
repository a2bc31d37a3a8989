import { spawnSync } from 'node:child_process';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { hasStrace, root, Sandbox, stories, withoutNetwork } from './watched.js';

const sandbox = new Sandbox();
afterAll(() => sandbox.remove());

/** Modules that reach a network, or that open a door to one. */
const networkModules = [
  'http',
  'https',
  'http2',
  'tls',
  'dns',
  'dns/promises',
  'net',
  'dgram',
  'cluster',
  'inspector',
  'inspector/promises',
];
const imported = new RegExp(`^(?:(?:node:)?(?:${networkModules.join('|')})|undici(?:/.*)?) from `);

/**
 * Node's `child_process` and `tty` load `net` and `dgram` of their own accord. What they do not load must not be there in the end,
 * whoever asked for it: `fetch` loads a part of Node itself.
 */
const inside =
  /^NativeModule (?:_?https?(?:_\w+)?|http2|_?tls(?:_\w+)?|dns|dns\/promises|cluster|inspector|inspector\/promises|internal\/deps\/undici\/undici|internal\/http2\/.*) in the end$/;

function networkOf(modules: readonly string[]): string[] {
  return modules.filter(line => imported.test(line) || inside.test(line));
}

const question = 'A patient has had scurvy for two weeks. Which vitamin is missing?\nA. Vitamin A\nB. Vitamin C\n';
const common = ['-m', stories, '--threads', '1'];
const record = join(sandbox.cwd, 'record.json');

/** Every command, as it is used; those that stand later use what those before them wrote. */
const commands: Readonly<Record<string, { readonly args: readonly string[]; readonly input?: string }>> = {
  ask: { args: ['ask', '--threads', '1', '--max-tokens', '8', '-n', '2', '--record', record, '-'], input: question },
  replay: { args: ['replay', record] },
  prompt: { args: ['prompt', '-m', stories, '--format', 'one-shot', '-'], input: question },
  run: { args: ['run', ...common, '--max-tokens', '8', '-p', 'Once upon a time'] },
  chat: { args: ['chat', ...common, '--format', 'chatml', '--max-tokens', '8'], input: 'Hello.\nAnd then?\n' },
  tokenize: { args: ['tokenize', '-m', stories, 'Once upon a time'] },
  inspect: { args: ['inspect', stories] },
  devices: { args: ['devices'] },
  demo: { args: ['demo'] },
};

test('every command but `eval`, which may be told to ask a server, is among them', () => {
  const names = readdirSync(join(root, 'src', 'cli', 'commands')).map(name => name.replace(/\.ts$/, ''));
  expect(names.filter(name => name !== 'eval').sort()).toEqual(Object.keys(commands).sort());
});

describe.each(Object.entries(commands))('%s', (_, { args, input }) => {
  test('loads no module of a network and opens no socket to one', async () => {
    const { code, stderr, modules, seen } = await sandbox.meditron(args, { ...(input !== undefined && { input }) });
    expect(code, stderr.toString()).toBe(0);
    expect(modules.length).toBeGreaterThan(100);
    expect(networkOf(modules)).toEqual([]);
    if (seen) expect(seen.network).toEqual([]);
  });
});

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
  const { code, stderr, modules, seen } = await sandbox.node([file]);
  expect(code, stderr.toString()).toBe(0);
  expect(networkOf(modules)).toEqual([]);
  if (seen) expect(seen.network).toEqual([]);
});

test('the watchers see what they are there to see', async () => {
  const file = join(sandbox.cwd, 'talks.mjs');
  writeFileSync(file, `await import('node:dns'); await fetch('http://127.0.0.1:49151/').catch(() => {});`);
  const { modules } = await sandbox.node([file]);
  expect(networkOf(modules)).toContain(`node:dns from ${pathToFileURL(file).href}`);
  expect(networkOf(modules)).toContain('NativeModule internal/deps/undici/undici in the end');
});

test.skipIf(!hasStrace)('the kernel is asked, too (skipped where strace is missing or may not trace)', async () => {
  const file = join(sandbox.cwd, 'connects.mjs');
  writeFileSync(file, `import { connect } from 'node:net'; connect(49151, '127.0.0.1').on('error', () => {});`);
  const { seen } = await sandbox.node([file]);
  expect(seen!.network.join('\n')).toMatch(/connect\(.*AF_INET/);
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
