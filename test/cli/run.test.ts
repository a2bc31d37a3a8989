import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { meditron, model, root } from './command.js';

const golden = readFileSync(resolve(root, 'test/fixtures/stories260K.greedy.txt'), 'utf8');

test('greedy completion of nothing writes the golden text and not a byte more', async () => {
  const ran = await meditron([
    'run',
    '-m',
    model,
    '-p',
    '',
    '--max-tokens',
    '200',
    '--temperature',
    '0',
    '--threads',
    '1',
  ]);
  expect(ran).toEqual({ code: 0, stdout: golden, stderr: '' });
});

test('five samples at 0.8 differ, and repeat with the same seed', async () => {
  const args = ['-m', model, '-p', 'Once upon a time', '--samples', '5', '--temperature', '0.8', '--seed', '7'];
  const ask = ['run', ...args, '--max-tokens', '24', '--threads', '1', '--json'];
  const [first, second] = [JSON.parse((await meditron(ask)).stdout), JSON.parse((await meditron(ask)).stdout)];
  expect(new Set(first.samples.map((sample: { text: string }) => sample.text)).size).toBe(5);
  expect(second.samples).toEqual(first.samples);
});

test('--json prints one object with samples, prompt tokens and timings', async () => {
  const { code, stdout } = await meditron([
    ...['run', '-m', model, '-p', 'Once upon a time', '-n', '2', '--max-tokens', '8', '--threads', '1'],
    ...['--logprobs', '--json'],
  ]);
  const object = JSON.parse(stdout);
  const sample = {
    text: expect.any(String),
    tokens: expect.any(Array),
    finish: 'length',
    seed: expect.any(Number),
    logprobs: expect.any(Array),
  };
  const time = expect.any(Number);
  expect(code).toBe(0);
  expect(object).toMatchObject({
    model,
    samples: [sample, sample],
    promptTokens: 5,
    sampledTokens: 16,
    timings: {
      loadMs: time,
      promptMs: time,
      generateMs: time,
      totalMs: time,
      firstTokenMs: time,
      tokensPerSecond: time,
    },
    seed: 0,
    temperature: 0.8,
    threads: 1,
    warnings: [],
  });
  expect(object.samples[0].tokens).toHaveLength(8);
  expect(object.samples[0].logprobs.every((value: number) => value <= 0)).toBe(true);
});

test('the prompt comes from standard input, without the line break that echo adds', async () => {
  const args = ['-m', model, '--max-tokens', '12', '--threads', '1'];
  const given = await meditron(['run', '-p', 'Once upon a time', ...args]);
  const piped = await meditron(['run', ...args], 'Once upon a time\n');
  expect(piped.stdout).toBe(given.stdout);
  expect(given.stdout).toBe(golden.slice('Once upon a time'.length, 'Once upon a time'.length + given.stdout.length));
});

test('several samples on a pipe are labelled lines of whole words, without any escape code', async () => {
  const args = ['-m', model, '-p', 'Once upon a time', '-n', '3', '--max-tokens', '60', '--threads', '1'];
  const { stdout } = await meditron(['run', ...args]);
  const json = JSON.parse((await meditron(['run', ...args, '--json'])).stdout);
  const lines = stdout.trimEnd().split('\n');
  expect(lines.filter(line => !/^\[[123]\] /.test(line))).toEqual([]);
  for (const index of [0, 1, 2]) {
    const label = `[${index + 1}] `;
    const said = lines.filter(line => line.startsWith(label)).map(line => line.slice(label.length));
    const words = (text: string) => text.split(/\s+/).filter(Boolean);
    expect(words(said.join(' '))).toEqual(words(json.samples[index].text));
  }
  expect(stdout).not.toContain('\x1b');
});

test('a stop text ends the sample and is left out', async () => {
  const args = ['run', '-m', model, '-p', '', '--stop', 'Lily', '--stop', 'never', '--threads', '1', '--json'];
  const { samples } = JSON.parse((await meditron(args)).stdout);
  expect(samples[0]).toMatchObject({ finish: 'stop', stop: 'Lily', text: golden.slice(0, golden.indexOf('Lily')) });
});

test('a threads wish beyond the cores is not granted, and said so', async () => {
  const args = ['run', '-m', model, '-p', 'Once', '--max-tokens', '1', '--threads', '4000'];
  const { code, stderr } = await meditron(args);
  expect(code).toBe(0);
  expect(stderr).toMatch(/^meditron: warning: 4000 threads were asked for; \d+ are used/);
});
