import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createProgram } from '../../src/cli/program.js';
import { meditron, model, start } from './command.js';

test.each((await createProgram()).commands.map(command => [command.name(), command]))(
  'the help of %s shows an example',
  (name, command) => {
    let help = '';
    command.configureOutput({
      writeOut: text => {
        help += text;
      },
    });
    command.outputHelp();
    expect(help).toMatch(new RegExp(`Examples?:\\n +(.*\\| )?meditron ${name}`));
  },
);

test('the help lists every exit code', async () => {
  const { code, stdout } = await meditron(['--help']);
  expect(code).toBe(0);
  for (const exit of [0, 1, 2, 3, 4, 5, 6, 7, 130, 143]) expect(stdout).toMatch(new RegExp(`^  ${exit} +\\S`, 'm'));
});

test('tokenize gives ids and pieces; special tokens only when asked for', async () => {
  const plain = JSON.parse((await meditron(['tokenize', '-m', model, 'Once upon a time', '--json'])).stdout);
  expect(plain).toEqual({
    tokens: [1, 403, 407, 261, 378],
    pieces: ['<s>', '▁Once', '▁upon', '▁a', '▁time'],
    count: 5,
  });
  const special = JSON.parse((await meditron(['tokenize', '</s>', '--special', '--bos', 'never', '--json'])).stdout);
  expect(special).toEqual({ tokens: [2], pieces: ['</s>'], count: 1 });
  const text = JSON.parse((await meditron(['tokenize', '--bos', 'never', '--json'], '</s>\n')).stdout);
  expect(text.pieces.join('')).toBe('▁</s>');
  expect(text.count).toBeGreaterThan(1);
});

test('devices says what was found and what is used', async () => {
  const { code, stdout } = await meditron(['devices', '--json']);
  const report = JSON.parse(stdout);
  expect(code).toBe(0);
  expect(report.devices).toContainEqual(expect.objectContaining({ type: 'cpu', used: true }));
  expect(report.cpu).toMatchObject({
    variant: expect.any(String),
    cores: expect.any(Number),
    threads: report.cpu.cores,
  });
  expect(report.addon.headers).toMatch(/^v?\d/);
  for (const backend of report.backends) expect(backend.loaded || backend.reason).toBeTruthy();
});

test('inspect shows the file and its hash', async () => {
  const { code, stdout } = await meditron(['inspect', model, '--hash']);
  const hash = createHash('sha256').update(readFileSync(model)).digest('hex');
  expect(code).toBe(0);
  expect(stdout).toContain(hash);
  expect(stdout).toMatch(/^context +512 tokens/m);
  expect(stdout).toContain('This model can be used.');
  expect(stdout).not.toContain('\x1b');
});

test('inspect shows what is known of a model that cannot be used, and why', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'meditron-inspect-'));
  const broken = join(folder, 'broken.gguf');
  const bytes = readFileSync(model);
  const at = bytes.indexOf('llama.attention.head_count') + 'llama.attention.head_count'.length;
  bytes.writeUInt32LE(0, at + 4); // behind the value's type
  writeFileSync(broken, bytes);
  try {
    const { code, stdout } = await meditron(['inspect', broken]);
    expect(code).toBe(4);
    expect(stdout).toMatch(/^architecture +llama/m);
    expect(stdout).toMatch(/This model cannot be used:\n {2}× .*head_count/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('the demo asks the model that ships, shows the vote and the right answer, and says what the model is not', async () => {
  const { code, stdout, stderr } = await meditron(['demo']);
  expect(stdout, 'a wrapped line begins with a word').not.toMatch(/^ \S/m);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const right = /By the rules of the score the answer is ([A-D]\. -?\d+)\./.exec(stdout)![1]!;
  expect(stdout).toContain(`  ${right}\n`); // among the options
  expect(stdout).toMatch(/(agreement|NO AGREEMENT|NO ANSWER TO RELY ON): /);
  const counted = [...stdout.matchAll(/^ {4}(\d) ●* +(?:[A-D]\. |gave no answer)/gm)];
  expect(counted.reduce((sum, [, count]) => sum + Number(count), 0)).toBe(5);
  expect(stdout).toMatch(/Points: /);
  expect(stdout).toMatch(/is\s+not\s+a\s+medical\s+device/);
  expect(stdout.match(/^ {2}npx meditron /gm)).toHaveLength(3);
  expect(stdout).not.toContain('\x1b');
});

test('another seed invents another patient, the same seed the same', async () => {
  /** What is asked, which is shown before the model thinks. */
  const asked = async (seed: string) => {
    const { child, ended } = start(['demo', '--seed', seed]);
    let shown = '';
    child.stdout!.on('data', text => {
      shown += text;
      if (/ score\?\n/.test(shown)) child.kill();
    });
    await ended;
    return /^ {2}(.*\n.*) score\?$/m.exec(shown)?.[1];
  };
  const [first, again, other] = [await asked('7'), await asked('7'), await asked('8')];
  expect(first).toEqual(expect.any(String));
  expect(first).toBe(again);
  expect(other).not.toBe(first);
});
