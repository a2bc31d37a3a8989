import { chmodSync, cpSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { canUnshare, installed, run, workFolder } from './shell.js';

const folder = workFolder('places');
const app = join(folder, 'app');
const cli = (place: string) => join(place, 'node_modules', 'meditron', 'bin', 'meditron.js');
const args = ['run', '-p', 'The patient', '--max-tokens', '2', '--threads', '1'];
const meditron = (place: string, ...more: string[]) => run('node', [cli(place), ...args, ...more], { cwd: folder });
const works = { status: 0, stderr: '', stdout: expect.stringMatching(/./) };

beforeAll(async () => {
  installed(app);
});

/** Each is a folder in the one before it. */
const names = ['with a space', 'Universitätsklinikum', 'a#b', '100%25', 'what?', '🩺', "d'été & co; $HOME"];

test('a folder of whatever name is one like any other, and one that is moved goes on working', async () => {
  const place = join(folder, ...names, 'app');
  cpSync(app, place, { recursive: true, verbatimSymlinks: true });
  expect(await meditron(place)).toEqual(works);
  expect(await meditron(place, '--in-process')).toEqual(works);
  const moved = join(folder, 'moved');
  renameSync(place, moved);
  expect(await meditron(moved)).toEqual(works);
});

test.runIf(canUnshare)('a medium that cannot be written to is enough', async () => {
  // Root may write everywhere: the folder is mounted once more, for reading.
  const script =
    'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && ! touch "$0/x" 2>/dev/null && exec node "$@"';
  const env = { PATH: `${process.env.PATH}` };
  const command = ['-m', 'sh', '-c', script, app, cli(app), ...args];
  expect(await run('unshare', command, { cwd: folder, env })).toEqual(works);
});

test('files that only their owner can change, and nobody else, are enough', async () => {
  const place = join(folder, 'of somebody else');
  cpSync(app, place, { recursive: true, verbatimSymlinks: true });
  chmodSync(join(place, 'node_modules'), 0o555);
  expect(await meditron(place)).toEqual(works);
});

describe('an Electron app’s archive', () => {
  // Electron reads the archive as if it were a folder. Here it is one.
  const inside = join(folder, 'like electron');
  const probe = `
    import { loadModel, MeditronError } from './node_modules/meditron/dist/index.js';
    try {
      const model = await loadModel({ path: process.argv[2], isolate: process.argv[3] === 'isolated' });
      await model.close();
      console.log('loaded');
    } catch (error) {
      console.log(error instanceof MeditronError, error.code, error.message);
    }`;
  const model = () => join(app, 'node_modules', 'meditron', 'models', 'meditron-mini.gguf');
  const load = (how: string) => run('node', [join(inside, 'app.asar', 'program.mjs'), model(), how], { cwd: folder });

  test('is left for what was unpacked, by code that runs inside it', async () => {
    cpSync(app, join(inside, 'app.asar'), { recursive: true, verbatimSymlinks: true });
    for (const name of ['@meditron', 'meditron/models', 'meditron/dist/host', 'meditron/dist/native/probe.js'])
      rmSync(join(inside, 'app.asar', 'node_modules', name), { recursive: true });
    cpSync(
      join(app, 'node_modules', 'meditron', 'dist', 'host'),
      join(inside, 'app.asar', 'node_modules', 'meditron', 'dist', 'host'),
      { recursive: true },
    );
    rmSync(join(inside, 'app.asar', 'node_modules', 'meditron', 'dist', 'host', 'child.js'));
    cpSync(app, join(inside, 'app.asar.unpacked'), { recursive: true, verbatimSymlinks: true });
    writeFileSync(join(inside, 'app.asar', 'program.mjs'), probe);
    for (const how of ['in process', 'isolated'])
      expect(await load(how)).toEqual({ status: 0, stdout: 'loaded\n', stderr: '' });
  });

  test('from which nothing was unpacked is told, with what to configure', async () => {
    rmSync(join(inside, 'app.asar.unpacked'), { recursive: true });
    for (const how of ['in process', 'isolated'])
      expect((await load(how)).stdout).toMatch(/^true ERR_ADDON .*inside the archive .*app\.asar, .*asarUnpack/);
  });
});
