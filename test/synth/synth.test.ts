import { readdir, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { describe, expect, test } from 'vitest';
import { numberAt, numbersAt, stringAt, stringsAt } from '../../src/gguf/metadata.js';
import { readGguf } from '../../src/gguf/reader.js';
import { tokenTypes } from '../../src/gguf/types.js';
import { findProblems } from '../../src/gguf/validate.js';
import { fileTypeOf } from '../../src/models/mixture.js';
import { publishedShapes } from '../../src/models/shapes.js';
import { quants } from '../../src/synth/quants.js';
import { shapeNames, shapes } from '../../src/synth/shapes.js';
import { planModel, synthesize } from '../../src/synth/synth.js';
import { readVocabulary } from '../../src/synth/vocabulary.js';
import { scratch } from '../gguf/sample.js';

const folder = scratch();

const laidOut = <T>(tensor: T) => ({ ...tensor, offset: 0, bytes: 0, part: 0 });

/** Llama-2 pieces, and the byte tokens among them, are in llama.cpp's own vocabulary file. */
describe('vocabularies', () => {
  test.each([
    ['llama-2', 32_000],
    ['meditron-early', 32_005],
    ['meditron', 32_017],
    ['meditron-chat', 32_019],
    ['llama-3', 128_256],
    ['qwen2', 151_936],
  ] as const)('%s has %d tokens, and as many types', async (name, size) => {
    const { metadata, size: told } = await readVocabulary(name);
    expect(told).toBe(size);
    expect(stringsAt(metadata, 'tokenizer.ggml.tokens')!.length).toBe(size);
    expect(numbersAt(metadata, 'tokenizer.ggml.token_type')!.length).toBe(size);
  });

  test('the added tokens of MEDITRON have their ids, specials are CONTROL, markers USER_DEFINED', async () => {
    const { metadata } = await readVocabulary('meditron-chat');
    const tokens = stringsAt(metadata, 'tokenizer.ggml.tokens')!;
    const types = numbersAt(metadata, 'tokenizer.ggml.token_type')!;
    expect(Array.from({ length: 19 }, (_, i) => `${tokens.at(32_000 + i)} ${types[32_000 + i]}`)).toEqual([
      '<CLS> 3',
      '<SEP> 3',
      '<EOD> 3',
      '<MASK> 3',
      '<PAD> 3',
      '[bib_ref] 4',
      '[/bib_ref] 4',
      '[fig_ref] 4',
      '[/fig_ref] 4',
      '[bib] 4',
      '[/bib] 4',
      '[fig] 4',
      '[/fig] 4',
      '[table] 4',
      '[/table] 4',
      '[formula] 4',
      '[/formula] 4',
      '<|im_start|> 3',
      '<|im_end|> 3',
    ]);
    expect([
      numberAt(metadata, 'tokenizer.ggml.bos_token_id'),
      numberAt(metadata, 'tokenizer.ggml.eos_token_id'),
    ]).toEqual([1, 2]);
    expect([tokens.at(319), tokens.at(13), tokens.at(835)]).toEqual(['▁A', '<0x0A>', '▁###']);
  });

  test('added tokens can be of one type', async () => {
    const { metadata } = await readVocabulary('meditron', { added: 'user-defined' });
    expect(
      numbersAt(metadata, 'tokenizer.ggml.token_type')!
        .slice(32_000)
        .every(type => type === 4),
    ).toBe(true);
  });

  test('a missing vocabulary file says how to get it', async () => {
    await expect(readVocabulary('meditron', { folder: folder.path('none') })).rejects.toMatchObject({
      code: 'ERR_INPUT',
      message: expect.stringContaining('npm run build'),
    });
  });
});

describe('true sizes, without writing', () => {
  // Parameters: arXiv 2311.16079 shapes with 32,017 tokens. Gigabytes: the published files of TheBloke/meditron-7B-GGUF
  // and TheBloke/meditron-70B-GGUF.
  test.each([
    ['meditron-7b', 6_738_554_880],
    ['meditron-70b', 68_976_926_720],
    ['llama-3-8b', 8_030_261_248],
  ] as const)('%s has %d parameters', async (shape, parameters) => {
    const { tensors } = await planModel({ shape, quant: 'f16' });
    expect(tensors.reduce((sum, t) => sum + t.dimensions.reduce((a, b) => a * b, 1), 0)).toBe(parameters);
  });

  test.each([
    ['meditron-7b', 'q4_k_m', 4.08],
    ['meditron-7b', 'q4_k', 3.86],
    ['meditron-7b', 'q4_0', 3.83],
    ['meditron-7b', 'q6_k', 5.53],
    ['meditron-7b', 'q8_0', 7.16],
    ['meditron-70b', 'q4_k_m', 41.4],
    ['meditron-70b', 'q4_0', 38.9],
  ] as const)('%s in %s takes %d GB', async (shape, quant, gigabytes) => {
    const { bytes } = await planModel({ shape, quant });
    expect(Number((bytes / 1e9).toPrecision(3))).toBe(gigabytes);
  });

  test('the Q4_K_M mixture of the 7B is llama.cpp’s: half of attn_v and ffn_down, and the output, in Q6_K', async () => {
    const { tensors } = await planModel({ shape: 'meditron-7b', quant: 'q4_k_m' });
    const sixes = tensors.filter(t => t.type.name === 'q6_K').map(t => t.name);
    // llama-quantize on Llama-2-7B reports 193 q4_K, 33 q6_K and 65 f32 tensors.
    expect(sixes).toHaveLength(33);
    expect(sixes).toContain('output.weight');
    const layers = [0, 1, 2, 3, 6, 9, 12, 15, 18, 21, 24, 27, 28, 29, 30, 31];
    expect(sixes.filter(name => name.includes('attn_v'))).toEqual(layers.map(i => `blk.${i}.attn_v.weight`));
    expect(sixes.filter(name => name.includes('ffn_down'))).toEqual(layers.map(i => `blk.${i}.ffn_down.weight`));
    expect(tensors.filter(t => t.type.name === 'q4_K')).toHaveLength(193);
    expect(tensors.filter(t => t.type.name === 'f32')).toHaveLength(65);
  });

  test('the 70B keeps its small value matrices in Q5_K or better', async () => {
    const { tensors } = await planModel({ shape: 'meditron-70b', quant: 'q4_k_m' });
    const types = new Set(tensors.filter(t => t.role === 'value').map(t => t.type.name));
    expect([...types].sort()).toEqual(['q5_K', 'q6_K']);
  });
});

describe('files', () => {
  test.each(quants)('a tiny model in %s is a sound model', async quant => {
    const made = await synthesize({ shape: 'tiny', quant, out: folder.path(`${quant}.gguf`), layers: 1 });
    const file = await readGguf(made.path);
    expect(findProblems(file)).toEqual([]);
    expect(file.parts[0]!.size).toBe(made.bytes);
    expect(numberAt(file.metadata, 'general.file_type')).toBe(fileTypeOf[quant]);
    expect(made.vocabulary).toEqual({ name: 'meditron', size: 32_017 });
  });

  test('rows too short for a k-quant fall back as in llama.cpp', async () => {
    const { tensors } = await planModel({ shape: 'tiny', quant: 'q4_k_m' });
    const types = new Map(tensors.map(t => [t.name, t.type.name]));
    expect(types.get('blk.0.attn_q.weight')).toBe('q5_0'); // Q4_K -> Q5_0
    expect(types.get('output.weight')).toBe('q8_0');
    expect(types.get('blk.1.attn_v.weight')).toBe('q8_0'); // Q6_K -> Q8_0
  });

  test('the same seed gives the same bytes, another seed others', async () => {
    const make = async (name: string, seed: number): Promise<Buffer> => {
      await synthesize({ shape: 'tiny', quant: 'q8_0', layers: 1, seed, out: folder.path(name) });
      return readFile(folder.path(name));
    };
    const first = await make('seed1.gguf', 1);
    expect(first.equals(await make('again.gguf', 1))).toBe(true);
    expect(first.equals(await make('seed2.gguf', 2))).toBe(false);
  });

  test('weights are finite, of the wanted spread, and no two rows of the output matrix are alike', async () => {
    const made = await synthesize({ shape: 'tiny', quant: 'f32', layers: 1, out: folder.path('spread.gguf') });
    const file = await readGguf(made.path);
    const raw = await readFile(made.path);
    const floats = (name: string): Float32Array => {
      const { offset, bytes } = file.tensors.find(t => t.name === name)!;
      const start = file.parts[0]!.dataOffset + offset;
      return new Float32Array(new Uint8Array(raw.subarray(start, start + bytes)).buffer);
    };
    const output = floats('output.weight');
    const deviation = Math.sqrt(output.reduce((sum, x) => sum + x * x, 0) / output.length);
    expect(deviation).toBeCloseTo(3 / 8, 2);
    const rows = new Set(Array.from({ length: 32_017 }, (_, i) => output.subarray(64 * i, 64 * i + 4).join()));
    expect(rows.size).toBe(32_017);
    expect(floats('output_norm.weight').every(x => x >= 0.9 && x <= 1.1)).toBe(true);
  });

  test('all tiny shapes are sound models of their numbers, with a chat template where their base has one', async () => {
    for (const shape of shapeNames.filter(name => name.startsWith('tiny'))) {
      const { metadata, tensors } = await planModel({ shape, quant: 'f16' });
      const file = { path: shape, version: 3, metadata, parts: [], tensors: tensors.map(laidOut) };
      expect([shape, findProblems(file)]).toEqual([shape, []]);
      const { architecture, headSize, embedding, heads, template, title } = shapes[shape];
      expect(stringAt(metadata, 'general.name')).toBe(title);
      expect(numberAt(metadata, `${architecture}.attention.head_count`)).toBe(heads);
      const rotated = numberAt(metadata, `${architecture}.rope.dimension_count`);
      expect(rotated ?? numberAt(metadata, `${architecture}.attention.key_length`)).toBe(headSize ?? embedding / heads);
      expect([shape, metadata.has('tokenizer.chat_template')]).toEqual([shape, template !== undefined]);
    }
    const { metadata } = await planModel({ shape: 'meditron-7b', quant: 'f16' });
    expect([numberAt(metadata, 'llama.context_length'), numberAt(metadata, 'llama.rope.freq_base')]).toEqual([
      2048, 10_000,
    ]);
  });

  test.each(['apertus-8b', 'gemma2-2b', 'qwen2.5-7b'] as const)(
    '%s has as many tokens as what is published, unused ones among them',
    async shape => {
      const { vocabulary, metadata } = await planModel({ shape, quant: 'f16', layers: 1 });
      expect(vocabulary.size).toBe(publishedShapes[shape].vocabularySize);
      expect(numbersAt(metadata, 'tokenizer.ggml.token_type')!.at(-1)).toBe(tokenTypes.unused);
      expect(stringAt(metadata, 'general.name')).toBe(shapes[shape].title);
    },
  );

  test('another chat template is written, or none', async () => {
    const written = async (template: string) =>
      stringAt(
        (await planModel({ shape: 'tiny-apertus', quant: 'f16', template })).metadata,
        'tokenizer.chat_template',
      );
    expect(await written('{{ messages }}')).toBe('{{ messages }}');
    expect(await written('')).toBeUndefined();
  });

  test('an abort leaves nothing behind', async () => {
    const before = await readdir(dirname(folder.path('x')));
    const abort = new AbortController();
    const options = { signal: abort.signal, onProgress: () => abort.abort(new Error('enough')) };
    await expect(
      synthesize({ shape: 'tiny', quant: 'q8_0', split: 2, out: folder.path('a.gguf'), ...options }),
    ).rejects.toThrow('enough');
    expect(await readdir(dirname(folder.path('x')))).toEqual(before);
  });

  test.each([
    [{ shape: 'meditron-8b' }, /meditron-70b.*did you mean/],
    [{ quant: 'q4_k_l' }, /did you mean/],
    [{ layers: 0 }, /from 1 to 512/],
    [{ seed: -1 }, /seed/],
    [{ vocabluary: 'llama-2' }, /did you mean `vocabulary`/],
    [{ split: 0 }, /split/],
  ])('options are checked: %o', async (wrong, message) => {
    const options = { shape: 'tiny', quant: 'f16', out: folder.path('no.gguf'), ...wrong };
    await expect(synthesize(options as never)).rejects.toMatchObject({
      code: 'ERR_OPTION',
      message: expect.stringMatching(message),
    });
  });
});

describe('split files', () => {
  const part = (n: number, of = 3): string => folder.path(`split-0000${n}-of-0000${of}.gguf`);
  const make = () =>
    synthesize({ shape: 'tiny', quant: 'q8_0', layers: 1, out: folder.path('split.gguf'), split: 3, force: true });

  test('are read as one model from their first part', async () => {
    const made = await make();
    expect(made.paths).toEqual([part(1), part(2), part(3)]);
    const file = await readGguf(part(1));
    expect(file.parts.map(p => p.path)).toEqual(made.paths);
    expect(file.parts.reduce((sum, p) => sum + p.size, 0)).toBe(made.bytes);
    expect(file.tensors).toHaveLength(made.tensors);
    expect(file.tensors.at(-1)!.part).toBe(2);
    expect(findProblems(file)).toEqual([]);
  });

  test('a missing part is named', async () => {
    await make();
    await rm(part(2));
    await expect(readGguf(part(1))).rejects.toMatchObject({
      code: 'ERR_MODEL_FILE',
      message: expect.stringMatching(/Part 2 of 3 .*split-00002-of-00003\.gguf.*no such file.*one folder/),
    });
  });

  test('a later part sends to the first', async () => {
    await make();
    await expect(readGguf(part(3))).rejects.toMatchObject({
      code: 'ERR_MODEL_FORMAT',
      message: expect.stringMatching(/got part 3 of 3; name the first part, split-00001-of-00003\.gguf/),
    });
  });

  test('a renamed first part, parts of two models, and a truncated part are refused', async () => {
    await make();
    await rename(part(2), part(1, 2));
    await rename(part(3), part(2));
    await expect(readGguf(part(1))).rejects.toThrow(/expected part 2 of 3 \(split\.no 1, u16\), got split\.no 2/);
    await make();
    await folder.put('split-00003-of-00003.gguf', (await readFile(part(3))).subarray(0, -100));
    await expect(readGguf(part(1))).rejects.toThrow(/split-00003.*download is incomplete/);
    await make();
    await rename(part(1), folder.path('renamed.gguf'));
    await expect(readGguf(folder.path('renamed.gguf'))).rejects.toThrow(/original names/);
  });
});
