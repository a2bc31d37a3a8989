import {
  appendFileSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { buildSync } from 'esbuild';
import { beforeAll, expect, test } from 'vitest';
import type { Entry } from './asar.js';
import { client, done, workFolder } from './shell.js';
import { platform, root, tarball } from './tarballs.js';

const example = join(root, 'examples', 'electron');
const folder = workFolder('electron');
const app = join(folder, 'app');
const built = join(app, 'release', 'linux-unpacked');
const resources = join(built, 'resources');
const clients = createRequire(import.meta.url);
const asar = () => clients(client('@electron', 'asar')) as typeof import('./asar.js');

/** A program with Electron's fuses in it, as `@electron/fuses` finds them: version 1, as many as Electron 45 has, each as it is delivered. */
const sentinel = 'dL7pKGdnNz796PbbjQWNKmHXBZaB9tsX';
const wire = '101100011';

function electronStandIn(): string {
  const place = join(folder, 'dist');
  mkdirSync(place);
  const program = join(place, 'electron');
  copyFileSync('/bin/true', program);
  appendFileSync(program, Buffer.concat([Buffer.from(sentinel), Buffer.from([1, wire.length]), Buffer.from(wire)]));
  writeFileSync(join(place, 'LICENSE'), '');
  return place;
}

beforeAll(async () => {
  const own = ['electron-builder.yml', 'package.json', 'packed.mjs', 'signing', 'src'];
  for (const name of own) cpSync(join(example, name), join(app, name), { recursive: true });
  electronStandIn();
  // What the example needs to be built comes from elsewhere, pinned.
  const manifest = readFileSync(join(app, 'package.json'), 'utf8');
  const { devDependencies: _, ...needed } = JSON.parse(manifest);
  writeFileSync(join(app, 'package.json'), JSON.stringify(needed));
  const install = ['install', '--ignore-scripts', '--prefer-offline', tarball(), tarball(platform)];
  const build = `import { bundle } from ${JSON.stringify(pathToFileURL(join(example, 'build.mjs')))}; await bundle(process.argv[1]);`;
  await Promise.all([
    done('npm', install, { cwd: app }),
    done('node', ['--input-type=module', '-e', build, join(app, 'dist')], { cwd: root }),
  ]);
  writeFileSync(join(app, 'package.json'), manifest);
  const packer = client('electron-builder', 'cli.js');
  await done('node', [packer, '--linux', '--dir', `-c.electronDist=${join(folder, 'dist')}`], { cwd: app });
});

test('the packer is the one that the example installs', () => {
  const version = (file: string) => JSON.parse(readFileSync(file, 'utf8'));
  expect(version(client('electron-builder', 'package.json')).version).toBe(
    version(join(example, 'package.json')).devDependencies['electron-builder'],
  );
});

/** Every file of an archive, with whether it lies outside. */
function* filesOf({ files = {} }: Entry, above = ''): Generator<[path: string, outside: boolean]> {
  for (const [name, entry] of Object.entries(files))
    if (entry.files) yield* filesOf(entry, `${above}${name}/`);
    else yield [`${above}${name}`, entry.unpacked === true];
}

test('the archive has the app and what it imports; the engine, its libraries and its licences lie outside', () => {
  const files = [...filesOf(asar().getRawHeader(join(resources, 'app.asar')).header)];
  const own = files.map(([path]) => path).filter(path => !path.startsWith('node_modules/'));
  expect(own.sort()).toEqual([
    'dist/main.js',
    'dist/preload.cjs',
    'dist/renderer/app.js',
    'dist/renderer/index.html',
    'dist/renderer/style.css',
    'package.json',
  ]);
  for (const [path, outside] of files) {
    if (/^node_modules\/(@meditron\/|meditron\/)/.test(path)) expect(outside, path).toBe(true);
    if (/\.(node|so|dll|dylib|gguf)(\.|$)/.test(path)) expect(outside, path).toBe(true);
    expect(existsSync(join(resources, 'app.asar.unpacked', path)), path).toBe(outside);
  }
  const names = files.map(([path]) => basename(path));
  for (const name of ['meditron.node', 'libllama.v0.4.0.so', 'child.js']) expect(names).toContain(name);
  // Node and the model are large: each is there once.
  expect(files.filter(([path]) => /node_modules\/node-|meditron-mini\.gguf$/.test(path))).toEqual([]);
  expect(existsSync(join(resources, 'node', 'node'))).toBe(true);
  expect(existsSync(join(resources, 'models', 'meditron-mini.gguf'))).toBe(true);
});

test('the fuses are turned as the configuration says', async () => {
  const { load } = clients(client('js-yaml')) as { load(text: string): { electronFuses: Record<string, boolean> } };
  const { resetAdHocDarwinSignature: _, ...wanted } = load(
    readFileSync(join(app, 'electron-builder.yml'), 'utf8'),
  ).electronFuses;
  const { getCurrentFuseWire, FuseV1Options } = clients(client('@electron', 'fuses')) as Fuses;
  const found = await getCurrentFuseWire(join(built, 'meditron-electron-example'));
  const turned = Object.keys(wanted).map(name => {
    const i = FuseV1Options[name[0]!.toUpperCase() + name.slice(1)]!;
    return [name, String.fromCharCode(found[i]!) === '1'];
  });
  expect(Object.fromEntries(turned)).toEqual(wanted);
});

/** What of `@electron/fuses` is used. */
interface Fuses {
  readonly FuseV1Options: Readonly<Record<string, number>>;
  getCurrentFuseWire(program: string): Promise<Readonly<Record<number, number>>>;
}

test('what was packed runs: a page asks, the packaged Node computes with files outside the archive, and nothing is left', async () => {
  // Electron reads the archive as if it were a folder. Here it is one, and `electron` in it is the stand-in.
  const inside = join(folder, 'as electron sees it');
  const archive = join(inside, 'app.asar');
  asar().extractAll(join(resources, 'app.asar'), archive);
  const unreadable = /\.(node|so)(\.|$)|\.gguf$|host\/child\.js$/; // by whoever is not Electron's JavaScript
  for (const [path] of filesOf(asar().getRawHeader(join(resources, 'app.asar')).header))
    if (unreadable.test(path)) rmSync(join(archive, path));
  for (const name of ['app.asar.unpacked', 'node', 'models']) renameSync(join(resources, name), join(inside, name));
  const electron = join(archive, 'node_modules', 'electron');
  mkdirSync(electron);
  writeFileSync(join(electron, 'package.json'), '{ "type": "module", "exports": "./index.js" }');
  buildSync({
    stdin: {
      contents: "export * from './electron.ts'; export * from './standin.ts';",
      resolveDir: join(root, 'test/electron'),
    },
    bundle: true,
    platform: 'node',
    format: 'esm',
    outfile: join(electron, 'index.js'),
  });
  writeFileSync(join(archive, 'drive.js'), drive);
  const told = JSON.parse(await done('node', [join(archive, 'drive.js'), inside], { cwd: folder }));
  expect(told).toEqual({
    model: true,
    votes: 1,
    answer: expect.stringMatching(/^[ABCD]$/),
    engine: [join(inside, 'node', 'node'), join(inside, 'app.asar.unpacked/node_modules/meditron/dist/host/child.js')],
    left: 0,
  });
});

const drive = `
  import { readFileSync, readlinkSync } from 'node:fs';
  import { join } from 'node:path';
  import { once } from 'node:events';
  import { app, BrowserWindow, exposed } from 'electron';

  process.resourcesPath = process.argv[2];
  Object.defineProperty(process, 'versions', { value: { ...process.versions, electron: '45.5.0' } });
  Object.assign(app, { isPackaged: true, folder: import.meta.dirname });
  await import('./dist/main.js');
  app.start();
  await once(app, 'web-contents-created');
  const [window] = BrowserWindow.getAllWindows();
  await once(window, 'loaded');
  const { meditron } = exposed(readFileSync(window.options.webPreferences.preload, 'utf8'), window.webContents);
  const model = await meditron.model();
  const text = 'A patient has atrial fibrillation: age 77, male. What is the CHA2DS2-VASc score?\\nA. 2\\nB. 5';
  let votes = 0;
  const progress = events => { votes += events.filter(event => event.type === 'vote').length; };
  const result = await meditron.ask({ text, samples: 1 }, { asked() {}, progress });
  const children = () => readFileSync('/proc/self/task/' + process.pid + '/children', 'utf8').split(' ').filter(Boolean);
  const engine = children().map(pid => [readlinkSync('/proc/' + pid + '/exe'),
    readFileSync('/proc/' + pid + '/cmdline', 'utf8').split('\\0').find(part => part.endsWith('child.js'))]);
  app.quit();
  await once(app, 'quit');
  console.log(JSON.stringify({ model: model.ok, votes, answer: result.ok ? result.value.answer : result.error, engine: engine.flat(), left: children().length }));
`;

test('an app that would lack its Node, its model or its addon is not packed', async () => {
  const { default: packed } = await import(pathToFileURL(join(app, 'packed.mjs')).href);
  const packing = packed({
    appOutDir: folder,
    packager: { getResourcesDir: () => join(folder, 'empty') },
    electronPlatformName: 'win32',
    arch: 1,
  });
  await expect(packing).rejects.toThrow(
    /not there: node.node\.exe, models.meditron-mini\.gguf, .*@meditron.win32-x64.meditron\.node.*npm install --os=win32 --cpu=x64/,
  );
});
