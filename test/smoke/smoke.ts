// What is tried of an installed package on another system, in one start of an emulator; and what has to come of it on every system.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { root } from '../install/tarballs.js';

export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** What driver.mjs writes down of the steps that it was told. */
export interface Found {
  readonly platform: string;
  readonly arch: string;
  readonly devices: Ran;
  readonly copy: Ran;
  readonly golden: Ran;
  readonly mapped: Ran;
  readonly demo: Ran;
  readonly ask: Ran;
  readonly worker: Ran;
  readonly questions: Readonly<Record<'utf16' | 'piped' | 'cp1252' | 'console' | 'mixed', Ran>>;
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
  readonly places: Readonly<Record<'model' | 'question' | 'share' | 'output', Ran>> & { readonly written: boolean };
  readonly long: { readonly length: number; readonly ran: Ran };
  readonly state: { readonly local: string; readonly files: readonly string[] };
}

/** A command that is wrong, and its exit code. */
export type Wrong = readonly [name: string, code: number, args: readonly string[]];

export const wrong: readonly Wrong[] = [
  ['unknown command', 2, ['nonsense']],
  ['no such question file', 3, ['ask', 'none.txt']],
  ['no such model', 4, ['run', '-m', 'none.gguf', '-p', 'x']],
  ['too long for the context', 5, ['run', '-m', 'stories260K.gguf', '-p', 'word '.repeat(5000)]],
];

/** Of the evaluation that is killed in its middle. */
const questions = 6;

/** What every system does. */
export const steps = ['devices', 'golden', 'demo', 'ask', 'evaluation', 'worker', 'isolated', 'wrong'] as const;

export interface Settings {
  /** The folder with the installed package, and a copy of it elsewhere, by that system's names. */
  readonly app: string;
  readonly copy?: string;
  readonly steps: readonly (keyof Found)[];
  /** Further options of the evaluation. */
  readonly evaluation: readonly string[];
  readonly wrong: readonly Wrong[];
}

/** Puts the driver, what it reads, and what it is to do into a folder. */
export function prepare(work: string, settings: Settings): void {
  mkdirSync(work, { recursive: true });
  const asked = { ...settings, wrong: Object.fromEntries(settings.wrong.map(([name, , args]) => [name, args])) };
  writeFileSync(join(work, 'smoke.json'), JSON.stringify(asked));
  cpSync(join(import.meta.dirname, 'driver.mjs'), join(work, 'driver.mjs'));
  cpSync(join(root, 'models', 'stories260K.gguf'), join(work, 'stories260K.gguf'));
  writeFileSync(join(work, 'bad.gbnf'), 'root ::= (\r\n');
  writeFileSync(join(work, 'question.txt'), 'What is the qSOFA score: rate 26, pressure 96?\r\nA. 1\r\nB. 2\r\n');
  const script = [
    'scripts/questions.ts',
    '--seed',
    '7',
    '--count',
    String(questions),
    '--out',
    join(work, 'questions.jsonl'),
  ];
  const { status, stderr } = spawnSync('npx', ['tsx', ...script], { cwd: root, encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
}

/** @throws Error with what the driver said if it did not reach its end */
export function foundIn(work: string, code: number | null, said: string): Found {
  if (code !== 0) throw new Error(`the driver ended with ${code}:\n${said}`);
  return JSON.parse(readFileSync(join(work, 'driver.json'), 'utf8')) as Found;
}

/** The tests of what every system does. */
export function sameEverywhere(found: () => Found): void {
  test('the stories model writes its golden text', () => {
    const golden = readFileSync(join(root, 'test/fixtures/stories260K.greedy.txt'), 'utf8');
    const { golden: ran } = found();
    expect(ran).toMatchObject({ code: 0, err: '' });
    expect(ran.out.length).toBeGreaterThan(100);
    expect(golden.startsWith(`Once upon a time${ran.out.replaceAll('\r\n', '\n').trimEnd()}`)).toBe(true);
  });

  test('the demonstration votes as here', () => {
    const here = spawnSync(process.execPath, [join(root, 'bin', 'meditron.js'), 'demo'], { encoding: 'utf8' });
    const vote = (text: string) =>
      text
        .split('\n')
        .filter(line => /^agreement: \d of 5|^[A-E]\. /.test(line))
        .map(line => line.slice(0, 18));
    expect(found().demo.code).toBe(0);
    expect(vote(here.stdout)).not.toEqual([]);
    expect(vote(found().demo.out)).toEqual(vote(here.stdout));
  });

  test('a question is asked', () => {
    const { code, out, err } = found().ask;
    expect(code, err).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ votes: { A: expect.any(Number), B: expect.any(Number) } });
  });

  test('an evaluation that is killed goes on to the rows of one that is not', () => {
    const { whole, end, left, resumed, rows, err } = found().evaluation;
    expect({ whole, resumed, err }).toMatchObject({ whole: 0, resumed: 0 });
    expect(end).not.toMatchObject({ code: 0 });
    expect(left).toBeGreaterThanOrEqual(2);
    expect(left).toBeLessThan(questions);
    expect(rows[0]).toHaveLength(questions);
    expect(rows[1]).toEqual(rows[0]);
  });

  test('a worker thread answers', () => {
    expect(found().worker).toMatchObject({ code: 0, err: '' });
    expect(found().worker.out).toMatch(/^sample 1: [A-D]/m);
  });

  test('an isolated engine that is ended is a typed error, and the next answer is as before', () => {
    const { before, error, after, processes } = found().isolated;
    expect(error).toMatchObject({ code: 'ERR_ENGINE_DIED', death: { external: true, phase: 'decode' } });
    expect(before.length).toBeGreaterThan(100);
    expect(after).toBe(before);
    expect(processes).toBe(2);
  });
}

/** The tests of exit codes. */
export function exitCodes(found: () => Found, wrong: readonly Wrong[]): void {
  test.each(wrong)('%s: exit code %i', (name, code) => {
    expect(found().wrong[name]).toMatchObject({ code, out: '' });
    expect(found().wrong[name]!.err).toMatch(/^meditron: /m);
  });
}
