import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ask } from '../../src/ask/ask.js';
import { chooseFormat } from '../../src/ask/choice.js';
import { replay, replayOn } from '../../src/ask/record/replay.js';
import type { Evidence } from '../../src/ask/types.js';
import { sealed } from '../../src/check/seal.js';
import type { Engine } from '../../src/engine/engine.js';
import type { Model } from '../../src/engine/model.js';
import { localTarget } from '../../src/evaluate/run/target.js';
import { loadModel } from '../../src/host/load.js';
import { synthesize } from '../../src/synth/synth.js';
import { itemsOf, runOf } from '../evaluate/run/items.js';

const lacking = reasonWithout();

describe.skipIf(lacking !== undefined)(`our own kernels${lacking ? ` (skipped: ${lacking})` : ''}`, () => {
  const size = { threads: 1, contextSize: 1024 } as const;
  const prompt = 'The patient has a fever';
  let folder: string;
  let model: Model;
  let ours: Engine;
  let theirs: Engine;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'meditron-kernels-'));
    const path = join(folder, 'q4_k.gguf');
    await synthesize({ shape: 'tiny-gqa', quant: 'q4_k_m', out: path });
    model = await loadModel({ path, gpuLayers: 0, loadMode: 'read' });
    ours = await model.createEngine(size);
    theirs = await model.createEngine({ ...size, kernels: 'llama.cpp' });
  });
  afterAll(async () => {
    await ours.close();
    await theirs.close();
    await model.close();
    await rm(folder, { recursive: true });
  });

  test('multiply unless llama.cpp’s are asked for, and settings say which', () => {
    expect(ours.settings.kernels).toMatch(/^AVX/);
    expect(theirs.settings.kernels).toBe('llama.cpp');
  });

  test('give the log-probabilities of llama.cpp’s but for rounding', async () => {
    const continuations = [' and', ' the', ' is a'];
    const [a, b] = [ours, theirs].map(engine => engine.score({ prompt, continuations }));
    const expected = (await b!).flatMap(({ logprobs }) => [...logprobs]);
    const got = (await a!).flatMap(({ logprobs }) => [...logprobs]);
    expect(Math.max(...got.map((logprob, i) => Math.abs(logprob - expected[i]!)))).toBeLessThan(1e-3);
    expect(got).not.toEqual(expected); // they have computed it
  });

  test('a saved prefix belongs to what has multiplied', async () => {
    const file = join(folder, 'prefix');
    using held = await ours.prefix(prompt);
    await ours.savePrefix(held, file);
    (await ours.restorePrefix(file)).release();
    await expect(theirs.restorePrefix(file)).rejects.toThrow(
      /another engine: `kernels` is AVX[-\w ]* there, llama\.cpp here/,
    );
  });

  test('a record says what has multiplied, and a replay multiplies by it', async () => {
    for (const made of [ours, theirs]) {
      const { kernels, environment } = await replayed(await recordOf(made));
      expect(kernels).toBe(made.settings.kernels);
      expect(environment).not.toContain('kernels');
    }
  });

  test('a record that says nothing of it is llama.cpp’s', async () => {
    const record = await recordOf(theirs);
    const { kernels: _, ...before } = record.engine!;
    const old = sealed({ ...record, engine: before });
    const { kernels, environment } = await replayed(old);
    expect(kernels).toBe('llama.cpp');
    expect(environment).not.toContain('kernels');
    const elsewhere = await replayOn(ours, old);
    expect(elsewhere.environment.join()).toMatch(/engine\.kernels: llama\.cpp then, AVX[-\w ]* now/);
  });

  async function recordOf(engine: Engine) {
    const question = { kind: 'choice', question: 'Which?', options: ['one', 'two'] } as const;
    return (await ask(engine, question, { format: 'raw', samples: 3, maxTokens: 4, stop: 'none' })).evidence;
  }

  async function replayed(record: Evidence) {
    const { answer, environment } = await replay(record);
    return { kernels: answer!.evidence.engine!.kernels, environment: environment.join() };
  }

  test('an evaluation that goes on multiplies as it was begun, or says that it cannot', async () => {
    const [run, items, chosen] = [runOf('top-token', 1), itemsOf(2), await chooseFormat(model, 'raw')];
    const target = localTarget(model, { threads: 1 });
    const layout = (await target.plan(run, chosen, items, {}))!;
    expect(layout.kernels).toBe(ours.settings.kernels);
    const open = (kernels: string | undefined) => {
      const { kernels: _, ...rest } = layout;
      return target.open({ ...run, layout: { ...rest, ...(kernels && { kernels }) } }, chosen, items, {});
    };
    await (await open(layout.kernels))[Symbol.asyncDispose]();
    await (await open(undefined))[Symbol.asyncDispose](); // begun before there was a choice
    await expect(open('NEON')).rejects.toMatchObject({
      code: 'ERR_OPTION',
      message: expect.stringMatching(/kernels: NEON planned, AVX[-\w ]* here/),
    });
  });
});

/** Why this machine has none of them; undefined where it has. */
function reasonWithout(): string | undefined {
  if (process.arch !== 'x64' || process.platform !== 'linux') return 'not Linux on x86-64';
  const flags = /^flags\s*:(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1]?.split(' ') ?? [];
  return ['avx2', 'fma', 'f16c'].every(flag => flags.includes(flag)) ? undefined : 'the processor has no AVX2';
}
