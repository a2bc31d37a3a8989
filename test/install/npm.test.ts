import { existsSync, lstatSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { registry } from './registry.js';
import { canUnshare, done, installed, project, run, workFolder } from './shell.js';
import { platform, root, tarball, version } from './tarballs.js';

const folder = workFolder('npm');
const golden = readFileSync(join(root, 'test/fixtures/stories260K.greedy.txt'), 'utf8');
const stories = join(root, 'models', 'stories260K.gguf');

if (!canUnshare)
  console.warn('Whatever is run without a network here is run with npm --offline alone: unshare -n needs root');

describe('the tarballs in an empty folder, without network, compiler, CMake and git', () => {
  const app = join(folder, 'app');
  const meditron = (...args: string[]) => run('npx', ['--offline', 'meditron', ...args], { cwd: app, offline: true });

  beforeAll(async () => {
    // Dependencies have to have been fetched before, once.
    installed(join(folder, 'before'));
    project(app);
    const files = [tarball(), tarball(platform)];
    const said = await done('npm', ['install', '--offline', '--foreground-scripts', ...files], {
      cwd: app,
      offline: true,
    });
    expect(said).not.toMatch(/^> /m); // a script that is run is named so
  });

  test('what the page of the package says works', async () => {
    // In place of the reader's model, which is not here, the one that ships.
    const ships = 'node_modules/meditron/models/meditron-mini.gguf';
    const page = readFileSync(join(app, 'node_modules/meditron/README.md'), 'utf8').replaceAll(
      'meditron-7b.Q4_K_M.gguf',
      ships,
    );
    const [commands, program] = ['sh', 'ts'].map(
      language => new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'ms').exec(page)![1]!,
    ) as [string, string];
    writeFileSync(join(app, 'question.txt'), 'Which of these is an antibiotic?\nA. aspirin\nB. amoxicillin\n');
    for (const line of commands.trim().split('\n')) {
      const [npx, ...args] = line.replace(/ {2,}#.*/, '').split(' ') as [string, ...string[]];
      const ran = await run(npx, ['--offline', ...args], { cwd: app, offline: true });
      expect(ran, line).toMatchObject({ status: 0, stdout: expect.stringMatching(/.{20}/) });
    }
    writeFileSync(join(app, 'page.mjs'), program);
    const said = await done('node', ['page.mjs'], { cwd: app, offline: true });
    expect(said).toMatch(/^[A-D] (agree|split|abstain) \d of 5/);
  });

  test('a question is asked of the model that ships, as in a checkout', async () => {
    const question = join(folder, 'question.txt');
    writeFileSync(question, 'Which of these is an antibiotic?\nA. aspirin\nB. amoxicillin\n');
    const { status, stdout } = await meditron('ask', question, '--mode', 'top-token', '--json');
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ decision: 'abstain' }); // not one of its scores
  });

  test('the library gives the golden text, in process and isolated', async () => {
    const program = `
      import { loadModel } from 'meditron';
      for (const isolate of [false, true]) {
        const model = await loadModel({ path: ${JSON.stringify(stories)}, isolate });
        const engine = await model.createEngine({ threads: 1, contextSize: 256 });
        let text = '';
        for await (const event of engine.generate({ prompt: '', maxTokens: 60 })) if (event.type === 'text') text += event.text;
        await engine.close();
        await model.close();
        console.log(JSON.stringify(text));
      }`;
    writeFileSync(join(app, 'program.mjs'), program);
    const lines = (await done('node', ['program.mjs'], { cwd: app, offline: true })).trim().split('\n');
    const texts = lines.map(line => JSON.parse(line) as string);
    expect(texts).toHaveLength(2);
    for (const text of texts) {
      expect(text.length).toBeGreaterThan(100);
      expect(golden.startsWith(text)).toBe(true);
    }
  });

  test('require gives the same library', async () => {
    const said = await done(
      'node',
      ['-e', "const { loadModel } = require('meditron'); console.log(typeof loadModel)"],
      { cwd: app },
    );
    expect(said).toBe('function\n');
  });

  test('the command tells the version, and what computes here', async () => {
    expect((await meditron('--version')).stdout.trim()).toBe(version);
    expect((await meditron('devices', '--json')).status).toBe(0);
  });

  test('everything together is less than 60 MB', () => {
    const files = readdirSync(join(app, 'node_modules'), { recursive: true, encoding: 'utf8' });
    const bytes = files.reduce((sum, name) => sum + lstatSync(join(app, 'node_modules', name)).size, 0);
    expect(bytes / 1e6).toBeLessThan(60);
  });

  test('no package of it has a script that npm would run, or sources that it would build', () => {
    const manifests = readdirSync(join(app, 'node_modules'), { recursive: true, encoding: 'utf8' }).filter(name =>
      /(^|[\\/])package\.json$/.test(name),
    );
    expect(manifests.length).toBeGreaterThan(10);
    for (const name of manifests) {
      const { scripts = {}, gypfile } = JSON.parse(readFileSync(join(app, 'node_modules', name), 'utf8'));
      const run = Object.keys(scripts).filter(script => /^(pre|post)?install$/.test(script));
      expect([name, run, gypfile]).toEqual([name, [], undefined]);
      expect(existsSync(join(app, 'node_modules', name, '..', 'binding.gyp'))).toBe(false);
    }
  });
});

describe('where the addon’s package was left out, the error ends in a command that brings it', () => {
  const command = /Run `([^`]+)` in (.+)\.\s*$/;
  let url: string;
  beforeAll(async () => {
    url = await registry([tarball(), tarball(platform)]);
  });

  async function mended(app: string): Promise<void> {
    const devices = () => run('npx', ['--offline', 'meditron', 'devices'], { cwd: app });
    const { status, stderr } = await devices();
    expect(status).toBe(7);
    expect(stderr).toContain(`@meditron/${platform} is not installed`);
    const [, line, place] = command.exec(stderr.replace(/\n/g, ' ')) ?? [];
    expect(place).toBe(app);
    const [program, ...args] = line!.split(' ') as [string, ...string[]];
    await done(program, args, { cwd: app, env: { npm_config_registry: url } });
    expect(await devices()).toMatchObject({ status: 0 });
  }

  test('by --omit=optional', async () => {
    const app = project(join(folder, 'omitted'));
    const env = { npm_config_registry: url };
    await done('npm', ['install', '--omit=optional', '--prefer-offline', 'meditron'], { cwd: app, env });
    await mended(app);
  });

  test('by a lock file that was made on another system', async () => {
    const app = project(join(folder, 'locked'));
    const env = { npm_config_registry: url };
    await done('npm', ['install', '--prefer-offline', 'meditron'], { cwd: app, env });
    // As npm has written it (npm/cli#4828): platform packages of other systems do not stand in it.
    for (const file of ['package-lock.json', 'node_modules/.package-lock.json']) {
      const lock = JSON.parse(readFileSync(join(app, file), 'utf8'));
      for (const name of Object.keys(lock.packages)) if (name.includes('@meditron/')) delete lock.packages[name];
      writeFileSync(join(app, file), JSON.stringify(lock));
    }
    rmSync(join(app, 'node_modules'), { recursive: true });
    await done('npm', ['ci', '--prefer-offline'], { cwd: app, env }).catch(() =>
      done('npm', ['install', '--prefer-offline', '--omit=optional'], { cwd: app, env }),
    );
    await mended(app);
  });

  test('by a folder node_modules that was copied from another system', async () => {
    const app = project(join(folder, 'copied'));
    await done('npm', ['install', '--prefer-offline', 'meditron'], { cwd: app, env: { npm_config_registry: url } });
    rmSync(join(app, 'node_modules', '@meditron'), { recursive: true });
    await mended(app);
  });
});
