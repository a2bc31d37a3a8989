import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import type { Model } from '../../src/engine/model.js';
import { entry } from '../../src/gguf/metadata.js';
import { writeGguf } from '../../src/gguf/writer.js';
import { loadModel } from '../../src/host/load.js';
import { floatTensor } from '../../src/synth/quantize.js';
import { synthesize } from '../../src/synth/synth.js';
import { ends, golden, loadStories, oneThread } from './stories.js';

const folder = mkdtempSync(join(tmpdir(), 'meditron-model-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const prompt = Int32Array.of(1, 450, 1234, 338, 29901);
async function tokensOf(model: Model): Promise<number[]> {
  await using engine = await model.createEngine(oneThread);
  const [end] = await ends(engine.generate({ prompt, maxTokens: 12, ignoreEnd: true }));
  return [...end!.tokens];
}

test('a model says what it is', async () => {
  await using model = await loadStories();
  expect(model.info).toMatchObject({
    architecture: 'llama',
    parameters: 292_800,
    layers: 5,
    embedding: 64,
    heads: 8,
    kvHeads: 4,
    contextLength: 512,
    quantization: { name: 'F32' },
    vocabulary: { size: 512 },
    bos: 1,
    eos: 2,
    addBos: true,
    chatTemplate: null,
    loadMode: 'read',
  });
  expect([...model.info.ends]).toEqual([2]);
});

test('read and mapped weights give the same text', async () => {
  for (const loadMode of ['read', 'mmap'] as const) {
    await using model = await loadStories({ loadMode });
    await using engine = await model.createEngine(oneThread);
    const [end] = await ends(engine.generate({ prompt: '', maxTokens: 200 }));
    expect(end!.text.trimEnd()).toBe(golden);
  }
});

test.each(['f32', 'f16', 'q8_0', 'q4_0', 'q4_k', 'q6_k', 'q4_k_m'] as const)(
  'a synthetic %s model loads and computes',
  async quant => {
    const path = join(folder, `${quant}.gguf`);
    await synthesize({ shape: 'tiny-gqa', quant, out: path });
    await using model = await loadModel({ path });
    expect(await tokensOf(model)).toHaveLength(12);
  },
);

test('a split model equals the whole one', async () => {
  const whole = join(folder, 'whole.gguf');
  await synthesize({ shape: 'tiny', quant: 'q8_0', seed: 3, out: whole });
  const parts = await synthesize({ shape: 'tiny', quant: 'q8_0', seed: 3, split: 3, out: join(folder, 'parts.gguf') });
  expect(parts.paths).toHaveLength(3);
  await using one = await loadModel({ path: whole });
  await using three = await loadModel({ path: parts.path });
  expect(await tokensOf(three)).toEqual(await tokensOf(one));

  rmSync(parts.paths[1]!);
  await expect(loadModel({ path: parts.path })).rejects.toThrow(/00002-of-00003/);
});

test('a LoRA adapter changes the text by its strength', async () => {
  const path = join(folder, 'adapter.gguf');
  const floats = (n: number, scale: number) =>
    Float32Array.from({ length: n }, (_, i) => scale * Math.sin(i * 12.9898));
  const metadata = new Map([
    ['general.architecture', entry.string('llama')],
    ['general.type', entry.string('adapter')],
    ['adapter.type', entry.string('lora')],
    ['adapter.lora.alpha', entry.f32(4)],
  ]);
  await writeGguf(path, metadata, [
    floatTensor('blk.2.attn_q.weight.lora_a', [64, 4], 'f32', floats(256, 0.5)),
    floatTensor('blk.2.attn_q.weight.lora_b', [4, 64], 'f32', floats(256, 0.5)),
  ]);
  await using model = await loadStories();
  const textAt = async (loras: { path: string; scale?: number }[]) => {
    await using engine = await model.createEngine({ ...oneThread, loras });
    return (await ends(engine.generate({ prompt: '', maxTokens: 80 })))[0]!.text;
  };
  const plain = await textAt([]);
  expect(await textAt([{ path, scale: 0 }])).toBe(plain);
  expect(await textAt([{ path }])).not.toBe(plain);
  expect(await textAt([{ path, scale: 0.5 }])).not.toBe(await textAt([{ path, scale: 3 }]));

  await using other = await loadModel({ path: join(folder, 'q8_0.gguf') });
  await expect(other.createEngine({ ...oneThread, loras: [{ path }] })).rejects.toMatchObject({ code: 'ERR_LORA' });
});

test('an engine may have a vocabulary of 128,256 tokens', async () => {
  const path = join(folder, 'llama3.gguf');
  await synthesize({ shape: 'tiny-llama-3', quant: 'q8_0', out: path });
  await using model = await loadModel({ path });
  await using engine = await model.createEngine(oneThread);
  const samples = await ends(
    engine.generate({
      prompt: 'The patient',
      samplers: Array(5).fill({ temperature: 1 }),
      maxTokens: 10,
      logprobs: true,
      ignoreEnd: true,
    }),
  );
  expect(new Set(samples.map(end => end.text)).size).toBe(5);
  for (const end of samples) for (const logprob of end.logprobs!) expect(logprob).toBeLessThan(0);
});

test('weights that are not finite end a sample with an error, and nothing else', async () => {
  const path = join(folder, 'nan.gguf');
  await synthesize({ shape: 'tiny', quant: 'f32', out: path });
  const { readGguf } = await import('../../src/gguf/reader.js');
  const { open } = await import('node:fs/promises');
  const file = await readGguf(path);
  const norm = file.tensors.find(tensor => tensor.name === 'output_norm.weight')!;
  const handle = await open(path, 'r+');
  await handle.write(
    Buffer.from(Float32Array.of(Number.NaN).buffer),
    0,
    4,
    file.parts[0]!.dataOffset + Number(norm.offset),
  );
  await handle.close();
  await using model = await loadModel({ path });
  await using engine = await model.createEngine(oneThread);
  await expect(ends(engine.generate({ prompt, maxTokens: 5 }))).rejects.toMatchObject({ code: 'ERR_NUMERIC' });
});
