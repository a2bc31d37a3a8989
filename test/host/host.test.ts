import fc from 'fast-check';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Death } from '../../src/check/died.js';
import type { Engine } from '../../src/engine/engine.js';
import type { Held } from '../../src/engine/held.js';
import type { Lease } from '../../src/engine/lease.js';
import { loadModel } from '../../src/host/load.js';
import { ScriptedProcess, scripted, scriptedInfo } from './scripted.js';

// The client's side without a process: what would be one is told when to go on and when to die.

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** Longer than any pause before a start. */
const pass = (milliseconds = 6000) => vi.advanceTimersByTimeAsync(milliseconds);

async function begin(make?: (index: number) => ScriptedProcess, onDeath?: (death: Death) => void) {
  const { launch, processes } = scripted(make);
  const model = await loadModel({ path: 'scripted.gguf', isolate: { launch, onDeath } });
  const engine = await model.createEngine();
  return { model, engine, processes, last: () => processes.at(-1)! };
}

/** What became of a request: its value, or its error. */
interface Fate {
  readonly value?: unknown;
  readonly error?: Error & { code?: string };
  readonly held?: Held | undefined;
}

class Client {
  readonly fates: (Fate | undefined)[] = [];
  readonly held: Held[] = [];
  readonly leases: Lease[] = [];
  readonly aborts: AbortController[] = [];

  constructor(private readonly engine: Engine) {}

  ask(verb: 'generate' | 'score' | 'prefix' | 'lease', hold = false, at = 0, within = 0): void {
    const index = this.fates.push(undefined) - 1;
    const controller = new AbortController();
    this.aborts.push(controller);
    const { signal } = controller;
    const from = at > 0 && this.held.length > 0 ? this.held[at % this.held.length] : undefined;
    const lease = within > 0 && this.leases.length > 0 ? this.leases[within % this.leases.length] : undefined;
    const prompt = `question ${index}`;
    const start = { from, lease, signal };
    const work = {
      generate: async () => {
        let text = '';
        for await (const event of this.engine.generate({ prompt, hold, ...start })) {
          if (event.type === 'text') text += event.text;
          if (event.type === 'end' && event.held) this.held.push(event.held);
          if (event.type === 'end') expect(event.text).toBe(text);
        }
        return text;
      },
      score: () => this.engine.score({ prompt, continuations: ['a'], ...start }),
      prefix: async () => this.held.push(await this.engine.prefix(prompt, start)),
      lease: async () => this.leases.push(await this.engine.lease({ sequences: 1, cells: 8 }, { signal })),
    }[verb];
    const settle = (fate: Fate) => {
      expect(this.fates[index]).toBe(undefined);
      this.fates[index] = fate;
    };
    work().then(
      value => settle({ value }),
      error => settle({ error }),
    );
  }

  releaseAll(): void {
    for (const each of [...this.held, ...this.leases]) each.release();
  }
}

type Act =
  | { readonly do: 'ask'; verb: 'generate' | 'score' | 'prefix' | 'lease'; hold: boolean; from: number; lease: number }
  | { readonly do: 'advance' | 'abort' | 'release' | 'unlease'; at: number }
  | { readonly do: 'die'; signal: string }
  | { readonly do: 'wait' };

const small = fc.nat(7);
const act: fc.Arbitrary<Act> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('ask' as const),
      verb: fc.constantFrom('generate', 'score', 'prefix', 'lease' as const),
      hold: fc.boolean(),
      from: small,
      lease: small,
    }),
  },
  {
    weight: 9,
    arbitrary: fc.record({
      do: fc.constantFrom('advance', 'advance', 'abort', 'release', 'unlease' as const),
      at: small,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('die' as const), signal: fc.constantFrom('SIGABRT', 'SIGKILL') }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('wait' as const) }) },
);

test('whatever dies when: each request is settled once, none that had begun is run again, order is kept, nothing unknown is asked for and nothing is left', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(act, { maxLength: 60 }), async acts => {
      vi.clearAllTimers();
      const { model, engine, processes, last } = await begin();
      const client = new Client(engine);
      const begun = new Map<ScriptedProcess, Set<number>>();
      const die = (signal: string) => {
        if (last().over) return;
        const { jobs } = last();
        begun.set(
          last(),
          new Set(jobs.filter(({ stage }) => stage !== 'sent' && stage !== 'queued').map(({ id }) => id)),
        );
        last().end({ signal, exitCode: null });
      };
      for (const each of acts) {
        if (each.do === 'ask') client.ask(each.verb, each.hold, each.from, each.lease);
        if (each.do === 'advance') last().advance(each.at);
        if (each.do === 'abort') client.aborts[each.at % Math.max(1, client.aborts.length)]?.abort();
        if (each.do === 'release') client.held[each.at % Math.max(1, client.held.length)]?.release();
        if (each.do === 'unlease') client.leases[each.at % Math.max(1, client.leases.length)]?.release();
        if (each.do === 'die') {
          await pass(0); // what was said has been heard
          die(each.signal);
        }
        if (each.do === 'wait') await pass();
      }
      for (let i = 0; i < 4; i++) {
        await pass();
        last().finish();
      }
      await pass();
      expect(processes.flatMap(process => process.wrongs)).toEqual([]);
      expect(client.fates.filter(fate => fate === undefined)).toEqual([]);
      for (const { order } of processes) expect(order).toEqual([...order].sort((a, b) => a - b));
      for (const [process, ids] of begun) {
        const later = processes.slice(processes.indexOf(process) + 1).flatMap(({ order }) => order);
        expect(later.filter(id => ids.has(id))).toEqual([]);
      }
      client.releaseAll();
      await pass();
      const { held, leases, jobs, over } = last();
      if (!over) expect({ held: [...held], leases: [...leases], jobs }).toEqual({ held: [], leases: [], jobs: [] });
      await engine.close();
      await model.close();
      expect(last().over).toBe(true);
      expect(vi.getTimerCount()).toBe(0);
    }),
    { numRuns: 300 },
  );
});

const died = expect.objectContaining({ code: 'ERR_ENGINE_DIED' });

/** Asks, and has the process die when it has come so far. */
async function dieIn(last: () => ScriptedProcess, work: () => Promise<unknown>, stages = 3, signal = 'SIGABRT') {
  const outcome = work().then(
    value => ({ value }),
    error => ({ error }),
  );
  await pass();
  for (let i = 0; i < stages; i++) last().advance(0);
  await pass(0);
  last().end({ signal, exitCode: null });
  await pass(0);
  return outcome;
}

async function textOf(engine: Engine, prompt: string, from?: Held): Promise<string> {
  let text = '';
  for await (const event of engine.generate({ prompt, from })) if (event.type === 'text') text += event.text;
  return text;
}

/** Has the process answer what it is asked. */
async function answered<T>(last: () => ScriptedProcess, work: Promise<T>): Promise<T> {
  for (let i = 0; i < 3; i++) {
    await pass();
    last().finish();
  }
  await pass(0);
  return work;
}

test('a request that was running at two crashes is refused, the same from another beginning is not', async () => {
  const { engine, last } = await begin();
  const [one, two] = (await Promise.all(['one', 'two'].map(prompt => answered(last, engine.prefix(prompt))))) as [
    Held,
    Held,
  ];
  for (let i = 0; i < 2; i++) expect(await dieIn(last, () => textOf(engine, 'and?', one))).toEqual({ error: died });
  await expect(textOf(engine, 'and?', one)).rejects.toMatchObject({ code: 'ERR_QUARANTINED' });
  await expect(answered(last, textOf(engine, 'and?', two))).resolves.toMatch(/^\d+$/);
  await expect(answered(last, textOf(engine, 'and?'))).resolves.toMatch(/^\d+$/);
  await expect(textOf(engine, 'and?', one), 'others finish, it stays').rejects.toMatchObject({
    code: 'ERR_QUARANTINED',
  });
});

test('deaths from outside are held against a request only until another finishes', async () => {
  const { engine, last } = await begin();
  for (let i = 0; i < 2; i++)
    expect(await dieIn(last, () => textOf(engine, 'a'), 3, 'SIGKILL')).toEqual({ error: died });
  await expect(textOf(engine, 'a')).rejects.toMatchObject({ code: 'ERR_QUARANTINED' });
  await answered(last, textOf(engine, 'b'));
  await expect(answered(last, textOf(engine, 'a'))).resolves.toMatch(/^\d+$/);
});

test('a held sample whose end is read after its process died is gone', async () => {
  const { engine, last } = await begin();
  const events = engine.generate({ prompt: 'a', hold: true });
  const first = events.next();
  await answered(last, first);
  last().end({ signal: 'SIGSEGV', exitCode: null });
  await pass(0);
  const { value } = await events.next();
  const held = value?.type === 'end' ? value.held! : undefined;
  expect(held).toBeDefined();
  await expect(engine.score({ prompt: 'b', continuations: ['c'], from: held })).rejects.toEqual(died);
  await expect(engine.score({ prompt: 'b', continuations: ['c'], from: held!.first(2) })).rejects.toEqual(died);
});

test('what dies again and again is started after longer and longer pauses, then no more', async () => {
  let sick = false;
  const deaths: Death[] = [];
  const { engine, model, processes } = await begin(
    () => new ScriptedProcess(undefined, verb => sick && verb === 'load'),
    death => deaths.push(death),
  );
  sick = true;
  processes[0]!.end({ signal: 'SIGSEGV', exitCode: null });
  const waiting = textOf(engine, 'a');
  waiting.catch(() => {});
  const starts: number[] = [];
  for (let at = 0; at < 30_000; at += 50) {
    await pass(at === 0 ? 0 : 50);
    while (starts.length < processes.length - 1) starts.push(at);
  }
  expect(starts.slice(1).map((at, i) => at - starts[i]!)).toEqual([250, 1000, 2000, 5000, 5000, 5000]);
  expect(deaths.map(({ phase, signal }) => `${phase} ${signal}`)).toEqual([
    'idle SIGSEGV',
    ...Array.from({ length: 7 }, () => 'load SIGABRT'),
  ]);
  expect(deaths.at(-1)!.lastLines).toEqual(['GGML_ASSERT(it is well)']);
  await expect(waiting).rejects.toMatchObject({ code: 'ERR_ENGINE_DOWN' });
  await expect(textOf(engine, 'b')).rejects.toMatchObject({ code: 'ERR_ENGINE_DOWN' });
  await engine.close();
  await model.close();
  expect(vi.getTimerCount()).toBe(0);
});

test('nobody waits for a start that nobody asks for', async () => {
  let sick = false;
  const { engine, model, last } = await begin(() => new ScriptedProcess(undefined, () => sick));
  sick = true;
  last().end({ signal: 'SIGSEGV', exitCode: null });
  const waiting = textOf(engine, 'a');
  waiting.catch(() => {});
  await pass(400); // it waits for the third start
  expect(vi.getTimerCount()).toBe(1);
  await engine.close();
  expect(vi.getTimerCount()).toBe(0);
  await expect(waiting).rejects.toMatchObject({ code: 'ERR_CLOSED' });
  await model.close();
});

test('another file at the same place, or other devices, are not taken for the model that was loaded', async () => {
  const others = [
    [{ files: [{ ...scriptedInfo.files[0]!, identity: 'two' }] }, 'ERR_MODEL_FILE'],
    [{ layersOf: [{ device: 'CUDA0', layers: 3 }] }, 'ERR_MODEL_LOAD'],
  ] as const;
  for (const [other, code] of others) {
    const { engine, last, processes } = await begin(
      index => new ScriptedProcess(() => (index === 0 ? scriptedInfo : { ...scriptedInfo, ...other })),
    );
    last().end({ signal: 'SIGSEGV', exitCode: null });
    const waiting = textOf(engine, 'a');
    waiting.catch(() => {});
    await pass();
    await expect(waiting).rejects.toMatchObject({ code });
    expect(processes.at(-1)!.over).toBe(true);
  }
});

test('a process of another version is refused', async () => {
  const { launch, processes } = scripted(() => new ScriptedProcess(undefined, undefined, '0.0.1'));
  const loading = loadModel({ path: 'scripted.gguf', isolate: { launch } });
  await expect(loading).rejects.toMatchObject({ code: 'ERR_ADDON', message: expect.stringContaining('0.0.1') });
  expect(processes.map(({ over }) => over)).toEqual([true]);
});

test('a launch that throws, or whose process ends at once, is a process that could not be started', async () => {
  const throwing = () => {
    throw new TypeError('no such thing');
  };
  const error = new Error('spawn nothing ENOENT');
  const ending = () => ({
    pid: undefined,
    send() {},
    kill() {},
    hold() {},
    listen: (to: { end: (end: { signal: null; exitCode: null; error: Error }) => void }) =>
      to.end({ signal: null, exitCode: null, error }),
  });
  for (const [launch, lastWords] of [
    [throwing, 'no such thing'],
    [ending, error.message],
  ] as const) {
    await expect(loadModel({ path: 'scripted.gguf', isolate: { launch } })).rejects.toMatchObject({
      code: 'ERR_ENGINE_DIED',
      death: { phase: 'start', signal: null, exitCode: null, lastLines: [lastWords] },
    });
  }
});

test('a process that does not answer is closed all the same', async () => {
  for (const order of ['engine first', 'model first', 'together'] as const) {
    const { engine, model, last } = await begin();
    const work = textOf(engine, 'a');
    work.catch(() => {});
    await pass(0);
    last().mute = true;
    const closing =
      order === 'model first'
        ? model.close().then(() => engine.close())
        : order === 'together'
          ? Promise.all([engine.close(), model.close(), engine.close()])
          : engine.close().then(() => model.close());
    await pass(2000);
    await closing;
    expect(last().over).toBe(true);
    await expect(work).rejects.toMatchObject({ code: 'ERR_CLOSED' });
    expect(vi.getTimerCount()).toBe(0);
  }
});

test('an abort while it loads ends the process with the reason; no death is told', async () => {
  const deaths: Death[] = [];
  const controller = new AbortController();
  const { launch, processes } = scripted(() => {
    const process = new ScriptedProcess();
    process.mute = true;
    return process;
  });
  const options = { path: 'scripted.gguf', signal: controller.signal };
  const loading = loadModel({ ...options, isolate: { launch, onDeath: death => deaths.push(death) } });
  await pass(0);
  const reason = new Error('enough');
  controller.abort(reason);
  await expect(loading).rejects.toBe(reason);
  expect(processes.map(({ over }) => over)).toEqual([true]);
  expect(deaths).toEqual([]);
  expect(vi.getTimerCount()).toBe(0);
});
