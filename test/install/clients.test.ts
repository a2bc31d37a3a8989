import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { registry } from './registry.js';
import { client, done, project, run, workFolder } from './shell.js';
import { platform, root, tarball, version } from './tarballs.js';

const folder = workFolder('clients');
const stories = join(root, 'models', 'stories260K.gguf');
const golden = readFileSync(join(root, 'test/fixtures/stories260K.greedy.txt'), 'utf8');
const program = `
  import { loadModel } from 'meditron';
  const model = await loadModel({ path: ${JSON.stringify(stories)}, isolate: process.argv[2] === 'isolated' });
  const engine = await model.createEngine({ threads: 1, contextSize: 256 });
  let text = '';
  for await (const event of engine.generate({ prompt: '', maxTokens: 60 })) if (event.type === 'text') text += event.text;
  await engine.close();
  await model.close();
  process.stdout.write(text);`;

let url: string;
beforeAll(async () => {
  url = await registry([tarball(), tarball(platform)]);
});

/** Package managers of others, each with the command that runs a program in its project. */
const clients = {
  'pnpm, isolated': {
    install: () => [client('pnpm', 'bin', 'pnpm.cjs'), 'install', '--store-dir', join(folder, 'store')],
    files: { 'pnpm-workspace.yaml': 'minimumReleaseAge: 0\n' },
    node: () => ['node'],
  },
  'Yarn with Plug’n’Play': {
    install: () => [client('@yarnpkg', 'cli-dist', 'bin', 'yarn.js'), 'install'],
    files: { 'yarn.lock': '' },
    node: () => ['node', client('@yarnpkg', 'cli-dist', 'bin', 'yarn.js'), 'node'],
  },
  'Yarn 1': {
    install: () => [
      client('yarn', 'bin', 'yarn.js'),
      'install',
      '--non-interactive',
      '--cache-folder',
      join(folder, 'yarn-1'),
    ],
    files: {},
    node: () => ['node'],
  },
};

describe.each(Object.entries(clients))('%s', (name, { install, files, node }) => {
  const app = join(folder, name.replace(/\W+/g, '-'));
  const settings = () => ({
    cwd: app,
    env: {
      HOME: join(folder, 'home'),
      npm_config_registry: url,
      YARN_NPM_REGISTRY_SERVER: url,
      YARN_UNSAFE_HTTP_WHITELIST: '127.0.0.1',
      YARN_ENABLE_IMMUTABLE_INSTALLS: 'false',
      YARN_ENABLE_TELEMETRY: 'false',
      YARN_GLOBAL_FOLDER: join(folder, 'yarn'),
      YARN_REGISTRY: url,
    },
  });

  beforeAll(async () => {
    project(app, { type: 'module', dependencies: { meditron: version } });
    for (const [file, text] of Object.entries(files)) writeFileSync(join(app, file), text);
    writeFileSync(join(app, 'program.js'), program);
    await done('node', install(), settings());
  });

  test.each(['in process', 'isolated'])('installs what gives the golden text %s', async how => {
    const [command, ...args] = node() as [string, ...string[]];
    const text = await done(command, [...args, 'program.js', how === 'isolated' ? 'isolated' : ''], settings());
    expect(text.length).toBeGreaterThan(100);
    expect(golden.startsWith(text)).toBe(true);
  });

  test('`devices` names a command of this package manager, if any', async () => {
    const [command, ...args] = node() as [string, ...string[]];
    const find =
      "import { createRequire } from 'node:module'; console.log(createRequire(import.meta.url).resolve('meditron'));";
    writeFileSync(join(app, 'where.js'), find);
    const index = (await done(command, [...args, 'where.js'], settings())).trim();
    const bin = join(index, '..', '..', 'bin', 'meditron.js');
    const { status, stdout } = await run(command, [...args, bin, 'devices', '--json'], settings());
    expect(status).toBe(0);
    const commands = (JSON.parse(stdout).backends as { add: string | null }[]).flatMap(({ add }) => add ?? []);
    for (const line of commands)
      expect(line).toMatch(name.startsWith('pnpm') ? /`pnpm add @node-llama-cpp/ : /`yarn add @node-llama-cpp/);
    expect(existsSync(join(app, 'node_modules', '@meditron'))).toBe(name === 'Yarn 1');
  });
});
