import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { DirectEngine } from '../../src/engine/direct/engine.js';
import { type DirectModel, loadHere } from '../../src/engine/direct/model.js';
import type { Held } from '../../src/engine/held.js';
import { belongsTo } from '../../src/engine/saved/belongs.js';
import { entry } from '../../src/gguf/metadata.js';
import { writeGguf } from '../../src/gguf/writer.js';
import { floatTensor } from '../../src/synth/quantize.js';
import { sourcesOf, tinyModel } from '../../src/synth/tiny.js';
import { all, ends, oneThread, storiesPath } from './stories.js';

const mini = fileURLToPath(new URL('../../models/meditron-mini.gguf', import.meta.url));

let folder: string;
const before = process.env.MEDITRON_STATE;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'meditron-test-'));
  process.env.MEDITRON_STATE = join(folder, 'state');
});
afterAll(() => {
  if (before === undefined) delete process.env.MEDITRON_STATE;
  else process.env.MEDITRON_STATE = before;
  rmSync(folder, { recursive: true });
});

/** Tokens and log-probabilities of three samples that go on from a held sequence. */
async function goOn(engine: DirectEngine, from: Held) {
  const samplers = [0, 0.8, 1.2].map(temperature => ({ temperature }));
  const given = { prompt: ' The', from, samplers, maxTokens: 24, seed: 5, logprobs: true };
  return (await ends(engine.generate(given))).map(({ tokens, logprobs }) => ({ tokens: [...tokens], logprobs }));
}

/** The bytes of a saved prefix behind its header and the code of that. */
function stateIn(path: string): Buffer {
  const bytes = readFileSync(path);
  return bytes.subarray(20 + bytes.readUInt32LE(16) + 32);
}

describe.each([
  ['stories260K', storiesPath, 'Once upon a time, there was a little girl named Lily. '.repeat(4)],
  ['meditron-mini', mini, 'A 71-year-old man has atrial fibrillation, hypertension and diabetes. '.repeat(4)],
])('a saved prefix of %s', (name, path, text) => {
  let model: DirectModel;
  let engine: DirectEngine;
  let file: string;
  beforeAll(async () => {
    model = await loadHere({ path });
    engine = await model.createEngine(oneThread);
    file = join(folder, name);
  });
  afterAll(async () => {
    await engine.close();
    await model.close();
  });

  test('restored in another engine gives the same samples as the evaluated prompt, bit for bit, and evaluates nothing', async () => {
    using held = await engine.prefix(text);
    const expected = await goOn(engine, held);
    await engine.savePrefix(held, file);
    const other = await model.createEngine(oneThread);
    try {
      using restored = await other.restorePrefix(file);
      expect(restored).toMatchObject({ tokenCount: held.tokenCount, cells: held.cells, pending: 0 });
      expect(other.counters.promptTokens).toBe(0);
      expect(await goOn(other, restored)).toEqual(expected);
      await other.savePrefix(restored, `${file}.again`);
      expect(stateIn(`${file}.again`).equals(stateIn(file))).toBe(true);
    } finally {
      await other.close();
    }
  });

  test('restored where there are other numbers of cells and sequences is what is evaluated there, bit for bit', async () => {
    using held = await engine.prefix(text);
    await engine.savePrefix(held, file);
    const { batchSize } = engine.settings;
    const opened = () => model.createEngine({ ...oneThread, batchSize, contextSize: 512, maxSequences: 5 });
    await using evaluating = await opened();
    await using restoring = await opened();
    const expected = await goOn(evaluating, await evaluating.prefix(text));
    expect(await goOn(restoring, await restoring.restorePrefix(file))).toEqual(expected);
  });

  test('is restored for the tokens that are wanted and no others', async () => {
    using held = await engine.prefix(text);
    await engine.savePrefix(held, file);
    const tokens = await model.tokenize(text);
    (await engine.restorePrefix(file, { tokens })).release();
    await expect(engine.restorePrefix(file, { tokens: tokens.subarray(1) })).rejects.toMatchObject({
      code: 'ERR_INPUT',
      message: expect.stringContaining('it is the beginning of other prompts'),
    });
  });

  test('is saved and restored while others are served', async () => {
    // Where its cells lie decides the last digits of what flash attention computes from a cache in f16; in f32 nothing is lost.
    const engine = await model.createEngine({ ...oneThread, kvType: 'f32', flashAttention: 'off' });
    using held = await engine.prefix(text);
    const score = async (from: Held) =>
      (await engine.score({ prompt: ' The', from, continuations: [' man'] }))[0]!.logprob;
    const alone = await score(held);
    const others = [1, 2].map(seed => all(engine.generate({ prompt: 'She', maxTokens: 40, seed })));
    await engine.savePrefix(held, `${file}.f32`);
    using restored = await engine.restorePrefix(`${file}.f32`);
    await Promise.all(others);
    expect(await score(restored)).toBeCloseTo(alone, 4);
    await engine.close();
  });

  test('is refused by an engine of other sizes, and by one of another model', async () => {
    using held = await engine.prefix(text);
    await engine.savePrefix(held, file);
    for (const options of [{ kvType: 'f32' }, { batchSize: 32 }, { flashAttention: 'off' }, { threads: 2 }] as const) {
      const other = await model.createEngine({ ...oneThread, batchSize: engine.settings.batchSize, ...options });
      if (other.settings.threads === 1 && 'threads' in options) continue; // there is one core
      const field = 'batchSize' in options ? 'rows' : Object.keys(options)[0];
      await expect(other.restorePrefix(file)).rejects.toThrow(new RegExp(`belongs to another engine: \`${field}\``));
      await other.close();
    }
    const elsewhere = await loadHere({ path: path === mini ? storiesPath : mini });
    const other = await elsewhere.createEngine(oneThread);
    await expect(other.restorePrefix(file)).rejects.toMatchObject({ code: 'ERR_INPUT' });
    await other.close();
    await elsewhere.close();
  });
});

describe('of prefixes', () => {
  let model: DirectModel;
  let engine: DirectEngine;
  const file = () => join(folder, 'one');
  beforeAll(async () => {
    model = await loadHere({ path: storiesPath });
    engine = await model.createEngine({ ...oneThread, maxSequences: 5, contextSize: 256 });
  });
  afterAll(async () => {
    await engine.close();
    await model.close();
  });

  test('one that continues another is saved whole', async () => {
    using head = await engine.prefix('Once upon a time,');
    using held = await engine.prefix(' there was a girl.', { from: head });
    const expected = await goOn(engine, held);
    await engine.savePrefix(held, file());
    held.release();
    head.release();
    using restored = await engine.restorePrefix(file());
    expect(restored.tokenCount).toBe(held.tokenCount);
    expect(await goOn(engine, restored)).toEqual(expected);
  });

  test('samples, parts, what was released and what is of another engine are not saved', async () => {
    const [end] = await ends(engine.generate({ prompt: 'Once', maxTokens: 4, hold: true }));
    using sample = end!.held!;
    using held = await engine.prefix('Once upon a time');
    for (const other of [sample, held.first(2), {}, null]) {
      await expect(engine.savePrefix(other as Held, file())).rejects.toMatchObject({ code: 'ERR_OPTION' });
    }
    held.release();
    await expect(engine.savePrefix(held, file())).rejects.toMatchObject({ code: 'ERR_CLOSED' });
  });

  test('one takes its sequence and cells from a lease, or waits until there are any', async () => {
    using held = await engine.prefix('Once upon a time');
    await engine.savePrefix(held, file());
    using lease = await engine.lease({ sequences: 4, cells: 40 });
    using restored = await engine.restorePrefix(file(), { lease });
    const waits = engine.restorePrefix(file());
    held.release();
    expect((await waits).tokenCount).toBe(restored.tokenCount);
    (await waits).release();
  });

  test('one made with an adapter is restored with that adapter at that strength', async () => {
    const floats = (n: number) => Float32Array.from({ length: n }, (_, i) => Math.sin(i * 12.9898) / 2);
    const adapter = async (name: string, alpha: number) => {
      const metadata = new Map([
        ['general.architecture', entry.string('llama')],
        ['general.type', entry.string('adapter')],
        ['adapter.type', entry.string('lora')],
        ['adapter.lora.alpha', entry.f32(alpha)],
      ]);
      await writeGguf(join(folder, name), metadata, [
        floatTensor('blk.2.attn_q.weight.lora_a', [64, 4], 'f32', floats(256)),
        floatTensor('blk.2.attn_q.weight.lora_b', [4, 64], 'f32', floats(256)),
      ]);
      return { path: join(folder, name) };
    };
    const given = await adapter('given.gguf', 4);
    const copied = await adapter('copied.gguf', 4);
    const other = await adapter('other.gguf', 5);
    const opened = (...loras: { path: string; scale?: number }[]) => model.createEngine({ ...oneThread, loras });
    {
      await using engine = await opened(given);
      await engine.savePrefix(await engine.prefix('Once'), file());
    }
    for (const loras of [[], [{ ...given, scale: 0.5 }], [other], [given, other]]) {
      await using engine = await opened(...loras);
      await expect(engine.restorePrefix(file())).rejects.toThrow(/`loras` is/);
    }
    await using same = await opened(copied);
    expect((await same.restorePrefix(file())).tokenCount).toBeGreaterThan(0);
  });

  test('one of a model with other factors of rotation beyond its trained context is restored on the same side of it', async () => {
    const path = join(folder, 'longrope.gguf');
    const { metadata, tensors } = tinyModel({
      architecture: 'phi3',
      optional: () => true,
      hyper: { ropeScaling: 'longrope', context: 1024 },
    });
    metadata.set('phi3.rope.scaling.original_context_length', entry.u32(512));
    await writeGguf(path, metadata, sourcesOf(tensors));
    await using model = await loadHere({ path });
    const opened = (contextSize: number) => model.createEngine({ ...oneThread, contextSize });
    {
      await using engine = await opened(256);
      await engine.savePrefix(await engine.prefix('Once'), file());
    }
    await using longer = await opened(512);
    expect((await longer.restorePrefix(file())).tokenCount).toBeGreaterThan(0);
    await using long = await opened(768);
    await expect(long.restorePrefix(file())).rejects.toThrow(/`ropeFactors` is short there, long here/);
  });

  test('files are not read for a prefix that was saved with them: their hashes are in it', async () => {
    const gone = { path: join(folder, 'gone.gguf'), sizeBytes: 1, sha256: null, identity: '1:2:3:4:5' };
    const { info } = model;
    const belonging = { info: { ...info, files: [gone] }, settings: engine.settings, adapters: { files: [] } };
    const about = { ...belonging, tokenCount: 4, longFrom: undefined };
    const known = [{ identity: gone.identity, sha256: 'ab'.repeat(32) }];
    const { belongs, files } = await belongsTo(about, known, undefined);
    expect([belongs.model, files]).toEqual(['ab'.repeat(32), known]);
    const other = [{ identity: '1:2:3:4:6', sha256: 'ab'.repeat(32) }];
    await expect(belongsTo(about, other, undefined)).rejects.toMatchObject({ code: 'ERR_MODEL_FILE' });
  });

  test('a closed engine saves and restores none', async () => {
    const other = await model.createEngine(oneThread);
    const held = await other.prefix('Once');
    const saving = other.savePrefix(held, join(folder, 'late'));
    const closing = other.close();
    await expect(saving).rejects.toMatchObject({ code: 'ERR_CLOSED' });
    await closing;
    await expect(other.restorePrefix(file())).rejects.toMatchObject({ code: 'ERR_CLOSED' });
    expect(readdirSync(folder)).not.toContain('late');
  });
});
