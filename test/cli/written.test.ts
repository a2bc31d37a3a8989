import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { model, root } from './command.js';

const place = mkdtempSync(join(tmpdir(), 'meditron-written-'));
const [inputs, home, temporary, folder, state] = ['inputs', 'home', 'tmp', 'work', 'state'].map(name =>
  join(place, name),
) as [string, string, string, string, string];
const question = join(inputs, 'question.txt');
const record = join(inputs, 'record.json');
const verified = join(inputs, 'stick');
const secret = 'Zymphoria';
const quick = ['-m', model, '--format', 'raw', '--max-tokens', '8', '--threads', '1'];

beforeAll(() => {
  for (const path of [inputs, home, temporary, folder, state]) mkdirSync(path);
  mkdirSync(verified);
  writeFileSync(
    join(verified, 'SHA256SUMS'),
    `${createHash('sha256').update('').digest('hex')}  a\n# files listed: 1\n`,
  );
  writeFileSync(join(verified, 'a'), '');
  writeFileSync(question, `What cures ${secret}?\nA. rest\nB. tea\n`);
  expect(run(['ask', question, ...quick, '-n', '1', '--record', record]).status).toBe(0);
});
afterAll(() => rmSync(place, { recursive: true }));

/** Runs the command with nothing of the user's around it. What it remembers of devices is kept apart, or, with `none`, nowhere. */
function run(args: readonly string[], input = '', remembered = state) {
  return spawnSync(process.execPath, [join(root, 'bin', 'meditron.js'), ...args], {
    input,
    cwd: folder,
    encoding: 'utf8',
    env: {
      PATH: process.env.PATH,
      HOME: home,
      USERPROFILE: home,
      ...{ TMPDIR: temporary, TEMP: temporary, TMP: temporary },
      ...{ LOCALAPPDATA: home, APPDATA: home, MEDITRON_STATE: remembered },
      ...(process.env.SystemRoot && { SystemRoot: process.env.SystemRoot }),
    },
  });
}

const files = (below: string): string[] =>
  readdirSync(below, { recursive: true, encoding: 'utf8' }).map(name => join(below, name));

const cases = [
  ['ask', ['ask', question, ...quick, '-n', '2'], ''],
  ['ask --json', ['ask', question, ...quick, '-n', '2', '--json'], ''],
  ['run', ['run', '-m', model, '-p', secret, '--max-tokens', '8', '--threads', '1'], ''],
  [
    'chat',
    ['chat', '-m', model, '--format', 'alpaca', '--max-tokens', '8', '--threads', '1'],
    `What cures ${secret}?\nAnd why?\n`,
  ],
  ['demo', ['demo'], ''],
  ['replay', ['replay', record], ''],
  ['prompt', ['prompt', question, '-m', model, '--format', 'raw'], ''],
  ['tokenize', ['tokenize', '-m', model, secret], ''],
  ['inspect', ['inspect', model], ''],
  ['devices', ['devices'], ''],
  ['verify', ['verify', verified], ''],
] as const;

test.each(cases)('%s writes no file that it was not asked for', (_, args, input) => {
  const { status, stdout, stderr } = run(args, input);
  expect({ status, stderr: status === 0 ? '' : stderr }).toEqual({ status: 0, stderr: '' });
  expect(stdout).not.toBe('');
  for (const empty of [home, temporary, folder]) expect(files(empty).map(path => relative(place, path))).toEqual([]);
  expect(readdirSync(inputs).sort()).toEqual(['question.txt', 'record.json', 'stick']);
  for (const path of files(state).filter(path => statSync(path).isFile()))
    expect(readFileSync(path).includes(secret), path).toBe(false);
});

test.each(cases)('%s writes nothing at all where nothing may be kept', (_, args, input) => {
  rmSync(state, { recursive: true });
  mkdirSync(state);
  const { status, stdout, stderr } = run(args, input, 'none');
  expect({ status, stderr: status === 0 ? '' : stderr }).toEqual({ status: 0, stderr: '' });
  expect(stdout).not.toBe('');
  expect(
    files(place)
      .map(path => relative(place, path))
      .sort(),
  ).toEqual(
    [
      'home',
      'inputs',
      'inputs/question.txt',
      'inputs/record.json',
      'inputs/stick',
      'inputs/stick/SHA256SUMS',
      'inputs/stick/a',
      'state',
      'tmp',
      'work',
    ].map(path => join(path)),
  );
});
