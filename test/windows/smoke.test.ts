import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { done, project, workFolder } from '../install/shell.js';
import { root, tarball } from '../install/tarballs.js';
import { lacking, Windows } from './wine.js';

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** What driver.mjs writes down. */
interface Found {
  readonly platform: string;
  readonly devices: Ran;
  readonly copy: Ran;
  readonly golden: Ran;
  readonly demo: Ran;
  readonly worker: Ran;
  readonly questions: Readonly<Record<'utf16' | 'piped' | 'cp1252', Ran>>;
  readonly evaluation: {
    readonly whole: number;
    readonly end: object;
    readonly left: number;
    readonly resumed: number;
    readonly err: string;
    readonly rows: readonly [readonly object[], readonly object[]];
  };
  readonly isolated: {
    readonly before: string;
    readonly error: object;
    readonly after: string;
    readonly processes: number;
  };
  readonly wrong: Readonly<Record<string, Ran>>;
  readonly long: { readonly length: number; readonly ran: Ran };
  readonly state: { readonly local: string; readonly files: readonly string[] };
}

if (lacking !== undefined) {
  console.warn(`The Windows package is not tried: ${lacking}`);
  test.runIf(process.env.CI)('Wine is there in CI', () => expect(lacking).toBeUndefined());
}

// Under Wine: no real drivers, no SmartScreen, no virus scanner, not Windows' scheduler, console or file locks.
describe.skipIf(lacking)('the installed package for Windows, under Wine', () => {
  let found: Found;
  let windows: Windows | undefined;
  const folder = workFolder('windows');
  afterAll(() => windows?.close());

  beforeAll(async () => {
    const app = join(folder, 'Müller & Söhne', 'app');
    const files = [tarball(), tarball('win32-x64')];
    const args = ['install', '--prefer-offline', '--os', 'win32', '--cpu', 'x64', '--force', ...files];
    await done('npm', args, { cwd: project(app) });
    cpSync(join(root, 'examples', 'worker.mjs'), join(app, 'worker.mjs'));
    windows = new Windows(join(folder, 'prefix'), join(folder, 'Müller & Söhne'));
    const work = windows.onC('Daten über uns');
    mkdirSync(work);
    cpSync(app, windows.onC('Programme x ü', 'app'), { recursive: true });
    cpSync(join(root, 'models', 'stories260K.gguf'), join(work, 'stories260K.gguf'));
    cpSync(join(import.meta.dirname, 'driver.mjs'), join(work, 'driver.mjs'));
    const questions = [
      'tsx',
      'scripts/questions.ts',
      '--seed',
      '7',
      '--count',
      '20',
      '--out',
      join(work, 'questions.jsonl'),
    ];
    expect(spawnSync('npx', questions, { cwd: root }).status).toBe(0);
    const c = 'C:\\Daten über uns';
    const { code, said } = windows.node([`${c}\\driver.mjs`, 'M:\\app', 'C:\\Programme x ü\\app', c]);
    if (code !== 0) throw new Error(`the driver ended with ${code}:\n${said}`);
    found = JSON.parse(readFileSync(join(work, 'driver.json'), 'utf8'));
  });

  test('its addon, and the libraries beside it, load from M: and from C:', () => {
    expect(found.platform).toBe('win32');
    for (const ran of [found.devices, found.copy]) expect(ran.code).toBe(0);
    expect(JSON.parse(found.devices.out).addon.path).toMatch(
      /^M:\\app\\node_modules\\@meditron\\win32-x64\\meditron.node$/,
    );
    expect(JSON.parse(found.copy.out).addon.path).toMatch(/^C:\\Programme x ü\\app/);
    expect(JSON.parse(found.devices.out).cpu.variant).toMatch(/^ggml-cpu-\w+\.dll$/);
  });

  test('the stories model writes what it writes on Linux', () => {
    const golden = readFileSync(join(root, 'test/fixtures/stories260K.greedy.txt'), 'utf8');
    expect(found.golden).toMatchObject({ code: 0, err: '' });
    expect(found.golden.out.length).toBeGreaterThan(100);
    expect(golden.startsWith(`Once upon a time${found.golden.out.replaceAll('\r\n', '\n').trimEnd()}`)).toBe(true);
  });

  test('the demonstration votes as on Linux', () => {
    const linux = spawnSync(process.execPath, [join(root, 'bin', 'meditron.js'), 'demo'], { encoding: 'utf8' });
    const vote = (text: string) =>
      text
        .split('\n')
        .filter(line => /^agreement: \d of 5|^[A-E]\. /.test(line))
        .map(line => line.slice(0, 18));
    expect(found.demo.code).toBe(0);
    expect(vote(linux.stdout)).not.toEqual([]);
    expect(vote(found.demo.out)).toEqual(vote(linux.stdout));
  });

  test('questions are read in UTF-8 and UTF-16, with CRLF; what is in another encoding is refused', () => {
    const { utf16, piped, cp1252 } = found.questions;
    for (const ran of [utf16, piped]) {
      expect(ran.code).toBe(0);
      const { segments } = JSON.parse(ran.out) as { segments: { text: string; template: boolean }[] };
      expect(segments.filter(({ template }) => !template).map(({ text }) => text)).toEqual([
        'Which vitamin prevents scurvy in Müller’s patients?',
        'Vitamin A',
        'Vitamin C',
        'Vitamin D',
      ]);
    }
    expect(cp1252).toMatchObject({ code: 3, err: expect.stringContaining('save it as UTF-8 (Notepad') });
  });

  test('an evaluation that is killed goes on to the rows of one that is not', () => {
    const { whole, end, left, resumed, rows, err } = found.evaluation;
    expect({ whole, resumed, err }).toMatchObject({ whole: 0, resumed: 0 });
    expect(end).not.toMatchObject({ code: 0 });
    expect(left).toBeGreaterThanOrEqual(5);
    expect(left).toBeLessThan(20);
    expect(rows[0]).toHaveLength(20);
    expect(rows[1]).toEqual(rows[0]);
  });

  test('a worker thread answers', () => {
    expect(found.worker).toMatchObject({ code: 0, err: '' });
    expect(found.worker.out).toMatch(/^sample 1: [A-D]/m);
  });

  test('an isolated engine that is ended is a typed error, and the next answer is as before', () => {
    const { before, error, after, processes } = found.isolated;
    expect(error).toMatchObject({ code: 'ERR_ENGINE_DIED', death: { external: true, phase: 'decode' } });
    expect(before.length).toBeGreaterThan(100);
    expect(after).toBe(before);
    expect(processes).toBe(2);
  });

  test.each([
    ['unknown command', 2],
    ['unknown option', 2],
    ['value out of range', 2],
    ['malformed grammar', 2],
    ['no such question file', 3],
    ['no such model', 4],
    ['no model', 4],
    ['reserved output name', 3],
    ['output in no folder', 3],
    ['too long for the context', 5],
  ])('%s: exit code %i', (name, code) => {
    expect(found.wrong[name]).toMatchObject({ code, out: '' });
    expect(found.wrong[name]!.err).toMatch(/^meditron: /m);
  });

  test('a model whose path is longer than 260 characters, and not in ASCII, runs', () => {
    expect(found.long.length).toBeGreaterThan(260);
    expect(found.long.ran).toMatchObject({ code: 0, err: '' });
  });

  test('what is kept is in the profile of the user alone', () => {
    expect(found.state.local).toMatch(/^C:\\users\\.*\\AppData\\Local\\meditron$/i);
  });
});
