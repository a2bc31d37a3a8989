import { spawn } from 'node:child_process';
import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { deserialize, serialize } from 'node:v8';
import { afterEach, expect, test } from 'vitest';
import type { Death } from '../../src/check/died.js';
import type { Engine } from '../../src/engine/engine.js';
import { loadModel } from '../../src/host/load.js';
import type { HostModel } from '../../src/host/model.js';
import type { Launch } from '../../src/host/transport.js';
import { endless, ends, oneThread, storiesPath as path, roomy, textOf } from '../engine/stories.js';
import { gone } from './children.js';

const here = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function load(options: Partial<Parameters<typeof loadModel>[0]> = {}) {
  const model = (await loadModel({ path, isolate: true, ...options })) as HostModel;
  closing.push(() => model.close());
  return model;
}

async function open(model: HostModel, options = oneThread): Promise<Engine> {
  const engine = await model.createEngine(options);
  closing.push(() => engine.close());
  return engine;
}

const greedy = async (engine: Engine) =>
  (await ends(engine.generate({ prompt: 'Once upon a time', maxTokens: 20 })))[0]!.text;

/** Starts a program that isolates a model; resolves when it says which its engine's process is. */
async function parent(way: string) {
  const child = spawn(process.execPath, [here('parent.js'), way], { stdio: ['ignore', 'pipe', 'inherit'] });
  const lines = createInterface(child.stdout);
  const said: string[] = [];
  lines.on('line', line => said.push(line));
  const ended = new Promise<number | string>(resolve => {
    child.on('close', (code, signal) => resolve(signal ?? code ?? -1));
  });
  while (said.length === 0) await pause(5);
  return { child, said, ended, engine: Number(said[0]) };
}

test.runIf(process.platform === 'linux').each(['starting', 'idle', 'decoding', 'stopped'])(
  'an engine’s process ends with a program that is killed while it is %s',
  async way => {
    const { child, ended, engine } = await parent(way);
    expect(gone(engine)).toBe(false);
    child.kill('SIGKILL');
    await ended;
    while (!gone(engine)) await pause(10);
  },
);

test.runIf(process.platform === 'linux')(
  'an open model that nobody asks keeps no program alive; an answer that is waited for does',
  async () => {
    const idle = await parent('open');
    expect(await idle.ended).toBe(0);
    const waiting = await parent('waiting');
    expect(await waiting.ended).toBe(0);
    expect(waiting.said[1]).toBe('2');
    while (!gone(idle.engine) || !gone(waiting.engine)) await pause(10);
  },
);

test.runIf(process.platform === 'linux')(
  'a program whose working folder is gone loads a model and goes on after a death',
  async () => {
    const { said, ended } = await parent('homeless');
    expect(await ended).toBe(0);
    expect(said[1]).toBe('1');
  },
);

test.each(['/nowhere/node', '/bin/true', '/bin/cat', here('life.engine.test.ts')])(
  'what is no Node fails with a code at once: %s',
  async execPath => {
    if (execPath.startsWith('/bin/') && !existsSync(execPath)) return;
    const failure = await loadModel({ path, isolate: { execPath } }).then(
      () => undefined,
      error => error,
    );
    expect(failure).toMatchObject({ code: 'ERR_ENGINE_DIED', death: { phase: 'start' } });
  },
);

test('what waited when the process died runs in the next, what ran fails, and both engines go on', async () => {
  const deaths: Death[] = [];
  const model = await load({ isolate: { onDeath: death => deaths.push(death) } });
  const engine = await open(model, { ...roomy, maxSequences: 2 });
  const other = await open(model);
  const fresh = await greedy(engine);
  const first = engine.generate({ ...endless, samplers: [{}, {}] });
  await first.next(); // it has the engine to itself
  const second = greedy(engine);
  const third = engine.lease({ sequences: 2, cells: 900 }).then(async lease => {
    const text = textOf(await collect(engine.generate({ prompt: 'Once upon a time', maxTokens: 20, lease })));
    lease.release();
    return text;
  });
  await model.tokenize('and'); // after that of the second, which is queued now
  process.kill(model.pid!, 'SIGKILL');
  await expect(ends(first)).rejects.toMatchObject({ code: 'ERR_ENGINE_DIED', death: { signal: 'SIGKILL' } });
  expect(await Promise.all([second, third])).toEqual([fresh, fresh]);
  expect(await greedy(other)).toBe(fresh);
  expect(deaths.map(({ signal, external }) => ({ signal, external }))).toEqual([{ signal: 'SIGKILL', external: true }]);
});

async function collect<T>(events: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const event of events) list.push(event);
  return list;
}

test('a model that was replaced between death and restart is not taken for what was loaded', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'meditron-life-'));
  closing.push(() => rmSync(folder, { recursive: true }));
  const copy = join(folder, 'model.gguf');
  copyFileSync(path, copy);
  const model = await load({ path: copy });
  const engine = await open(model);
  const fresh = await greedy(engine);
  process.kill(model.pid!, 'SIGKILL');
  expect(await greedy(engine)).toBe(fresh);
  rmSync(copy);
  copyFileSync(path, copy); // the same bytes, but who could know
  process.kill(model.pid!, 'SIGKILL');
  await expect(greedy(engine)).rejects.toMatchObject({ code: 'ERR_MODEL_FILE' });
  rmSync(copy);
  await expect(greedy(engine)).rejects.toMatchObject({ code: 'ERR_MODEL_FILE' });
  expect(await greedy(await open(await load()))).toBe(fresh);
});

test('a process of another kind may carry the messages', async () => {
  const framed: Launch = ({ script, execPath, env, cwd }) => {
    const child = spawn(execPath, [here('framed.js'), script], { env, cwd, stdio: ['pipe', 'pipe', 'pipe'] });
    child.stdin.on('error', () => {});
    return {
      pid: child.pid,
      send(message) {
        const body = serialize(message);
        const length = Buffer.alloc(4);
        length.writeUInt32LE(body.length);
        child.stdin.write(Buffer.concat([length, body]));
      },
      listen({ message, print, end }) {
        let rest = Buffer.alloc(0);
        child.stdout.on('data', chunk => {
          rest = Buffer.concat([rest, chunk]);
          while (rest.length >= 4 && rest.length >= 4 + rest.readUInt32LE()) {
            const next = 4 + rest.readUInt32LE();
            message(deserialize(rest.subarray(4, next)));
            rest = rest.subarray(next);
          }
        });
        child.stderr.on('data', chunk => print(String(chunk)));
        child.on('close', (exitCode, signal) => end({ exitCode, signal }));
      },
      kill: () => void child.kill('SIGKILL'),
      hold: alive => child[alive ? 'ref' : 'unref'](),
    };
  };
  const model = await load({ isolate: { launch: framed } });
  const engine = await open(model);
  const plain = await greedy(await open(await load()));
  expect(await greedy(engine)).toBe(plain);
  process.kill(model.pid!, 'SIGSEGV');
  expect(await greedy(engine)).toBe(plain);
});

test('a reader that is busy for seconds finds the whole text', async () => {
  const engine = await open(await load(), { ...oneThread, contextSize: 4096, maxSequences: 8, beyondTraining: true });
  const samplers = Array.from({ length: 8 }, () => ({ temperature: 1 }));
  const events = engine.generate({ prompt: 'Once upon a time', samplers, maxTokens: 400, ignoreEnd: true });
  const list = [(await events.next()).value!];
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 4000);
  list.push(...(await collect(events)));
  const texts = list.filter(event => event.type === 'end').map(end => ({ sample: end.sample, text: end.text }));
  expect(texts).toHaveLength(8);
  for (const { sample, text } of texts) expect(textOf(list, sample)).toBe(text);
});

test('many quick requests leave no listener and nothing to wait for', async () => {
  const model = await load();
  const engine = await open(model);
  const { signal } = new AbortController();
  const listeners = () => ['SIGINT', 'exit', 'message'].map(name => process.listenerCount(name));
  const before = listeners();
  const ids = await model.tokenize('Once upon a time');
  for (let i = 0; i < 50; i++) {
    const twenty = Array.from({ length: 20 }, (_, j) =>
      j % 2 === 0 ? model.detokenize(ids) : engine.score({ prompt: ids, continuations: [ids], signal }),
    );
    await Promise.all(twenty);
  }
  expect(listeners()).toEqual(before);
});
