import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync } from 'node:fs';
import { expect, test } from 'vitest';
import { generate } from '../../src/cli/samples.js';
import { silent } from '../../src/cli/terminal/streams.js';
import { loadModel } from '../../src/host/load.js';
import { model, root, start } from './command.js';

const long = [
  '-m',
  model,
  '-p',
  'Once upon a time',
  '-n',
  '8',
  '--max-tokens',
  '500',
  '--ignore-end',
  '--threads',
  '1',
];

test.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)('%s while text comes prints what there is and ends with code %i', async (signal, code) => {
  const { child, ended } = start(['run', ...long]);
  await once(child.stdout!, 'data');
  child.kill(signal);
  const ran = await ended;
  expect(ran.code).toBe(code);
  expect(ran.stdout.match(/\(interrupted\)/g)).toHaveLength(8);
  expect(ran.stdout).toMatch(/^\[1\] \w|^\[1\] ,/m);
});

test('SIGINT while nothing has been typed yet ends the wait', async () => {
  const { child, ended } = start(['run', '-m', model, '--threads', '1']);
  await new Promise(done => setTimeout(done, 1500));
  child.kill('SIGINT');
  expect((await ended).code).toBe(130);
});

test('interrupted samples keep their text and say that they were cancelled', async () => {
  await using loaded = await loadModel({ path: model });
  await using engine = await loaded.createEngine({ threads: 1, contextSize: 2048, maxSequences: 2 });
  const controller = new AbortController();
  const streams = { ...silent, text: () => controller.abort(new Error('enough')) };
  const outcome = await generate(
    engine,
    { prompt: 'Once upon a time', samplers: [{}, {}], maxTokens: 400, signal: controller.signal },
    streams,
  );
  expect(outcome.samples.map(({ finish }) => finish)).toEqual(['cancelled', 'cancelled']);
  for (const { tokens } of outcome.samples) expect(tokens!.length).toBeGreaterThan(0);
  expect(outcome.samples[0]!.text).not.toBe('');
  expect(outcome.interrupted).toEqual(new Error('enough'));
});

test('a reader that has had enough ends it quietly', async () => {
  const { child, ended } = start(['run', ...long]);
  await once(child.stdout!, 'data');
  child.stdout!.destroy();
  expect(await ended).toMatchObject({ code: 0, stderr: '' });
});

test.runIf(existsSync('/dev/full'))('output that cannot be written is an error', async () => {
  const full = openSync('/dev/full', 'w');
  const child = spawn(process.execPath, ['bin/meditron.js', 'devices'], { cwd: root, stdio: ['ignore', full, 'pipe'] });
  const [code] = await once(child, 'close');
  closeSync(full);
  expect(code).toBe(3);
});
