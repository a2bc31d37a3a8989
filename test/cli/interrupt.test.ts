import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync } from 'node:fs';
import { expect, test } from 'vitest';
import { generate } from '../../src/cli/samples.js';
import { silent } from '../../src/cli/terminal/streams.js';
import { loadModel } from '../../src/host/load.js';
import { endlessly, meditron, model, root, start } from './command.js';
import { childrenOf, hasProc, stateOf, until } from './processes.js';

const short = [
  ...['run', '-m', model, '-p', 'Once upon a time', '-n', '2'],
  ...['--max-tokens', '300', '--ignore-end', '--threads', '1'],
];

test.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)('%s while text comes prints what there is and ends with code %i', async (signal, code) => {
  const { child, ended } = start(endlessly);
  await once(child.stdout!, 'data');
  child.kill(signal);
  const ran = await ended;
  expect(ran.code).toBe(code);
  expect(ran.stdout.match(/\(interrupted\)/g)).toHaveLength(16);
  expect(ran.stdout).toMatch(/^\[1\] \S/m);
});

test('SIGINT while nothing has been typed yet ends the wait', async () => {
  const told = 'process.on("newListener",name=>{if(name==="SIGINT")console.error("It_listens")})';
  const env = { NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(told)}` };
  const { child, ended } = start(['run', '-m', model, '--threads', '1'], { env });
  await once(child.stderr!, 'data');
  child.kill('SIGINT');
  expect((await ended).code).toBe(130);
});

/** Ways of ending the command while its engine works. What it is sent goes to its whole group where a terminal would do that. */
const ways: Record<string, { readonly code: number | null; readonly end: (child: ChildProcess) => void }> = {
  'Ctrl-C': { code: 130, end: ({ pid }) => process.kill(-pid!, 'SIGINT') },
  'Ctrl-C twice': {
    code: 130,
    end: ({ pid }) => {
      process.kill(-pid!, 'SIGINT');
      process.kill(-pid!, 'SIGINT');
    },
  },
  'SIGTERM to the group': { code: 143, end: ({ pid }) => process.kill(-pid!, 'SIGTERM') },
  'SIGTERM to the command': { code: 143, end: child => child.kill('SIGTERM') },
  'a closed pipe': { code: 0, end: ({ stdout }) => stdout!.destroy() },
  'a closed terminal': { code: null, end: ({ pid }) => process.kill(-pid!, 'SIGHUP') },
  SIGKILL: { code: null, end: child => child.kill('SIGKILL') },
};

test.runIf(hasProc).each(Object.keys(ways))('%s leaves no process behind, and its engine says nothing', async name => {
  const { code, end } = ways[name]!;
  const { child, ended } = start(endlessly, { detached: true });
  await once(child.stdout!, 'data');
  const engines = childrenOf(child.pid!);
  expect(engines).toHaveLength(1);
  end(child);
  const ran = await ended;
  await until(() => engines.every(pid => stateOf(pid) === undefined));
  const said = code === 130 ? 'meditron: Interrupted\n' : code === 143 ? 'meditron: Terminated\n' : '';
  expect(ran.code).toBe(code);
  // A second Ctrl-C ends the command on the spot, if Node delivers two as two.
  expect(name === 'Ctrl-C twice' ? ['', said] : [said]).toContain(ran.stderr);
});

/** Stops the command and its engine, as a shell does at Ctrl-Z, when it has written for the first time: at no other moment. */
const stopping = `
  const { stdout } = process;
  const { write } = stdout;
  stdout.write = (...args) => {
    stdout.write = write;
    stdout.write(...args);
    process.kill(0, 'SIGSTOP');
  };`;

test.runIf(hasProc)('the command goes on after it was stopped with its engine for seconds', async () => {
  const env = { NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(stopping)}` };
  const { child, ended } = start(short, { detached: true, env });
  const both = () => [child.pid!, ...childrenOf(child.pid!)];
  await until(() => both().length === 2 && both().every(pid => stateOf(pid) === 'T'));
  await new Promise(done => setTimeout(done, 4000)); // longer than a stopped engine is waited for
  process.kill(-child.pid!, 'SIGCONT');
  const { code, stdout } = await meditron(short);
  // Lines of the two samples come as they are done, which the stop changes.
  const bySample = (text: string) =>
    ['[1]', '[2]'].map(label => text.split('\n').filter(line => line.startsWith(label)));
  const { stdout: said, ...rest } = await ended;
  expect(rest).toEqual({ code, stderr: '' });
  expect(bySample(said)).toEqual(bySample(stdout));
  expect(said.split('\n').sort()).toEqual(stdout.split('\n').sort());
});

test('without a terminal, input or readers of its output it runs', async () => {
  const child = spawn(process.execPath, ['bin/meditron.js', ...short], {
    cwd: root,
    detached: true,
    stdio: 'ignore',
  });
  expect(await once(child, 'close')).toEqual([0, null]);
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
  const { child, ended } = start(endlessly);
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
