import { execFileSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { entry } from '../../src/gguf/metadata.js';
import { readGguf } from '../../src/gguf/reader.js';
import { writeGguf } from '../../src/gguf/writer.js';
import { hashFile } from '../../src/models/hash.js';
import { identityAt, identityText } from '../../src/models/identity.js';
import { describeFile, inspectFile } from '../../src/models/inspect.js';
import { planModel, synthesize } from '../../src/synth/synth.js';
import { sampleMetadata, scratch, writeSample } from '../gguf/sample.js';

const folder = scratch();
const stories = 'models/stories260K.gguf';

test('the stories model is described as its publisher describes it', async () => {
  const { vocabulary, ...rest } = await inspectFile(stories);
  expect(rest).toEqual({
    path: stories,
    sizeBytes: 1_185_504,
    ggufVersion: 3,
    architecture: 'llama',
    name: 'stories260K',
    parameters: 292_800, // 260,032 with tied embeddings; the file holds them twice
    quantization: { name: 'F32', tensors: { f32: 48 } },
    layers: 5,
    embedding: 64,
    heads: 8,
    kvHeads: 4,
    headSize: 8,
    feedForward: 172,
    contextLength: 512,
    slidingWindow: null,
    ropeTheta: 10_000,
    specialTokens: { bos: { id: 1, text: '<s>' }, eos: { id: 2, text: '</s>' }, unk: { id: 0, text: '<unk>' } },
    addBos: true,
    chatTemplate: null,
    kvBytesPerToken: { f32: 1280, f16: 640, q8_0: 340 },
    files: [{ path: stories, sizeBytes: 1_185_504, sha256: null, identity: identityText(identityAt(stories)) }],
    problems: [],
  });
  expect(vocabulary).toMatchObject({ model: 'llama', pre: null, size: 512, addedTokenCount: 2 });
});

test('an inspection survives JSON', async () => {
  const inspection = await inspectFile(stories);
  expect(JSON.parse(JSON.stringify(inspection))).toEqual(inspection);
});

describe('key-value cache bytes of the true shapes', () => {
  // 2 × layers × KV heads × head size numbers a token; the f16 figures are those of the published configurations.
  test.each([
    ['meditron-7b', 1_048_576, 524_288, 278_528],
    ['meditron-70b', 655_360, 327_680, 174_080],
    ['llama-3-8b', 262_144, 131_072, 69_632],
  ] as const)('%s', async (shape, f32, f16, q8_0) => {
    const { metadata } = await planModel({ shape, quant: 'q4_k_m' });
    await writeGguf(folder.path(`${shape}.gguf`), metadata, []);
    const inspection = await inspectFile(folder.path(`${shape}.gguf`));
    expect(inspection.kvBytesPerToken).toEqual({ f32, f16, q8_0 });
    expect(inspection.problems[0]?.code).toBe('ERR_MODEL_UNSUPPORTED');
  });
});

test('added tokens are listed with their types, the first hundred of many', async () => {
  await synthesize({ shape: 'tiny', quant: 'q4_0', layers: 1, out: folder.path('added.gguf') });
  const { vocabulary } = await inspectFile(folder.path('added.gguf'));
  expect(vocabulary.addedTokens).toContainEqual({ id: 32_002, text: '<EOD>', type: 'control' });
  expect(vocabulary.addedTokens).toContainEqual({ id: 32_013, text: '[table]', type: 'user-defined' });
  expect(vocabulary.addedTokenCount).toBe(19);

  const { metadata } = await planModel({ shape: 'tiny-llama-3', quant: 'q4_0' });
  await writeGguf(folder.path('many.gguf'), metadata, []);
  const many = (await inspectFile(folder.path('many.gguf'))).vocabulary;
  expect([many.addedTokens.length, many.addedTokenCount]).toEqual([100, 256]);
});

test('what is wrong is shown instead of thrown, as long as the header can be read', async () => {
  const path = await writeSample(folder.path('wrong.gguf'), {
    'llama.block_count': entry.u32(0),
    'tokenizer.ggml.eos_token_id': entry.u32(999),
  });
  const { layers, problems, specialTokens } = await inspectFile(path);
  expect(layers).toBe(0);
  expect(specialTokens.eos).toEqual({ id: 999, text: null });
  expect(problems.map(problem => problem.message)).toEqual([
    expect.stringContaining('llama.block_count'),
    expect.stringContaining('eos_token_id'),
  ]);
});

test('a file without metadata is described with nulls', async () => {
  await writeGguf(folder.path('bare.gguf'), new Map(), []);
  const inspection = describeFile(await readGguf(folder.path('bare.gguf')));
  expect(inspection).toMatchObject({ architecture: null, layers: null, kvBytesPerToken: null, parameters: 0 });
  expect(inspection.problems).toHaveLength(1);
});

test('a chat template is passed on untouched, and without file_type the commonest weights name the quantization', async () => {
  const template = '{{ messages }}\n';
  await writeGguf(folder.path('chat.gguf'), sampleMetadata({ 'tokenizer.chat_template': entry.string(template) }), []);
  const inspection = await inspectFile(folder.path('chat.gguf'));
  expect([inspection.chatTemplate, inspection.quantization.name]).toEqual([template, 'none']);
  const file = await readGguf(await writeSample(folder.path('typed.gguf')));
  expect(describeFile(file).quantization.name).toBe('F32');
});

describe('hash', () => {
  test.skipIf(process.platform === 'win32')('is what sha256sum says', async () => {
    const expected = execFileSync('sha256sum', [stories], { encoding: 'utf8' }).slice(0, 64);
    expect(await hashFile(stories)).toBe(expected);
    expect((await inspectFile(stories, { hash: true })).files[0]!.sha256).toBe(expected);
  });

  test('of nothing is the hash of the empty string', async () => {
    const empty = await folder.put('empty', Buffer.alloc(0));
    expect(await hashFile(empty)).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
  });

  test('tells how far it is over all parts', async () => {
    const made = await synthesize({
      shape: 'tiny',
      quant: 'q4_0',
      layers: 1,
      split: 2,
      out: folder.path('parts.gguf'),
    });
    const told: number[] = [];
    const { files } = await inspectFile(made.path, { hash: true, onProgress: (...now) => told.push(...now) });
    expect(told.slice(-2)).toEqual([made.bytes, made.bytes]);
    expect(files.map(file => file.sha256)).toEqual(await Promise.all(made.paths.map(path => hashFile(path))));
  });

  test('a missing file and an aborted signal', async () => {
    await expect(hashFile(folder.path('none'))).rejects.toMatchObject({ code: 'ERR_MODEL_FILE' });
    await expect(hashFile('.')).rejects.toMatchObject({ code: 'ERR_MODEL_FILE' });
    const reason = new Error('enough');
    await expect(hashFile(stories, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    expect((await readFile(stories)).length).toBe(1_185_504);
  });
});
