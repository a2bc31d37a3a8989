import { describe, expect, test } from 'vitest';
import { architectures } from '../../src/gguf/architecture.js';
import { layoutOf } from '../../src/gguf/layout.js';
import { type Entry, entry } from '../../src/gguf/metadata.js';
import type { GgufFile } from '../../src/gguf/reader.js';
import { forMatrices, type TensorTypeName, tensorType, tensorTypes } from '../../src/gguf/types.js';
import { findProblems } from '../../src/gguf/validate.js';
import { type TinyModel, type TinyOptions, type TinyTensor, tinyModel } from '../../src/synth/tiny.js';

const names = [...architectures.keys()];
/** Rows that every type fits. */
const wide = { layers: 1, embedding: 256, feedForward: 256, keySize: 64, valueSize: 64, rotated: 64 };

function problemsOf(
  options: TinyOptions,
  change: (
    tensors: readonly TinyTensor[],
    metadata: Map<string, Entry>,
  ) => readonly Pick<TinyTensor, 'name' | 'dimensions' | 'type'>[] = tensors => tensors,
): string[] {
  const { metadata: sound, tensors } = made(options);
  const metadata = new Map(sound);
  const infos = change(tensors, metadata).map(tensor => ({ ...tensor, offset: 0, bytes: 0, part: 0 }));
  const file: GgufFile = { path: 'tiny.gguf', version: 3, metadata, tensors: infos, parts: [] };
  return findProblems(file).map(({ message }) => message);
}

const models = new Map<TinyOptions, TinyModel>();

/** Made once: only what the header says is looked at. */
function made(options: TinyOptions): TinyModel {
  const model = models.get(options) ?? tinyModel(options);
  models.set(options, model);
  return model;
}

const retyped = (tensors: readonly TinyTensor[], name: string, type: TensorTypeName) =>
  tensors.map(tensor => (tensor.name === name ? { ...tensor, type: tensorType(type) } : tensor));

describe.each(names)('%s', architecture => {
  const all: TinyOptions = { architecture, hyper: wide, optional: name => !name.endsWith('scale') };
  const { hyper, tensors: every } = tinyModel(all);
  const present = new Map(every.map(tensor => [tensor.name, tensor]));
  const rules = layoutOf(hyper, architectures.get(architecture)!, every[0]!.dimensions[1]!, present);
  const bare: TinyOptions = { architecture, hyper: wide };

  test('every vector is f32, and every matrix of a type with kernels', () => {
    for (const { name } of every) {
      const role = rules.get(name)!.role;
      for (const { name: type } of tensorTypes.values()) {
        const fits = role === 'vector' ? type === 'f32' : forMatrices.has(type);
        const found = problemsOf(all, tensors => retyped(tensors, name, type));
        expect([name, type, found.length]).toEqual([name, type, fits ? 0 : 1]);
        if (!fits) expect(found[0]).toContain(name);
      }
    }
  });

  test('no tensor that is needed may be missing, and none may have another shape', () => {
    for (const { name } of every) {
      const gone = problemsOf(all, tensors => tensors.filter(tensor => tensor.name !== name));
      expect([name, gone.length > 0]).toEqual([name, rules.get(name)!.required]);
      const shaped = (dimensions: readonly number[]) =>
        problemsOf(all, tensors => tensors.map(tensor => (tensor.name === name ? { ...tensor, dimensions } : tensor)));
      const { dimensions } = every.find(tensor => tensor.name === name)!;
      expect(shaped([...dimensions, 1, 1])).toEqual([]);
      expect(shaped([...dimensions, 2])[0]).toContain(name);
      expect(shaped(dimensions.with(0, dimensions[0]! * 2))[0]).toContain(name);
    }
  });

  test.each([
    'blk.0.attn_sinks.weight',
    'blk.0.ffn_gate_inp.weight',
    'blk.0.ffn_gate_exps.weight',
    'blk.0.attn_norm.bias',
    'blk.0.attn_q_norm.bias',
    'blk.1.attn_q.weight',
    'output_norm.bias',
    'cls.weight',
    'cls.output.weight',
    'dense_2.weight',
    'anything',
  ])('a tensor that the graph leaves out, %s, is refused', name => {
    const extra = { name, dimensions: [256], type: tensorType('f32') };
    expect(problemsOf(bare, tensors => [...tensors, extra])[0]).toContain(`${name} as well`);
  });

  test('a fused tensor is taken only where the graph knows it', () => {
    const dimensions = [256, 256 + 2 * 128];
    const fuse = (tensors: readonly TinyTensor[]) => [
      ...tensors.filter(({ name }) => !/attn_[qkv]\.(weight|bias|scale|input_scale)/.test(name)),
      { name: 'blk.0.attn_qkv.weight', dimensions, type: tensorType('f32') },
      ...tensors
        .filter(({ name }) => name.endsWith('attn_q.bias'))
        .map(({ type }) => ({ name: 'blk.0.attn_qkv.bias', dimensions: dimensions.slice(1), type })),
    ];
    expect(problemsOf(bare, fuse).length > 0).toBe(architecture === 'olmo2');
  });

  test('keys and values are of one size', () => {
    const given = (tensors: readonly TinyTensor[], metadata: Map<string, Entry>) => {
      metadata.set(`${architecture}.attention.value_length`, entry.u32(32));
      return tensors;
    };
    expect(problemsOf(bare, given)[0]).toMatch(/value_length to be 64/);
  });

  test('a part of the head is rotated only where the graph knows that', () => {
    const found = problemsOf({ architecture, hyper: { ...wide, rotated: 32 } });
    const partial = ['gemma2', 'gemma3', 'phi3'].includes(architecture);
    expect(found[0] ?? 'fine').toMatch(partial ? /^fine$/ : /dimension_count to be 64/);
    for (const rotated of [63, 66]) {
      expect(problemsOf({ architecture, hyper: { ...wide, rotated } })[0]).toMatch(/dimension_count to be/);
    }
  });
});

test('a token with a NUL is refused, wherever it stands', () => {
  for (const token of ['\0', 'a\0', '\0a', 'a\0b']) {
    const [problem] = problemsOf({ architecture: 'llama' }, (tensors, metadata) => {
      const list = metadata.get('tokenizer.ggml.tokens')!.value as Iterable<string>;
      metadata.set('tokenizer.ggml.tokens', entry.strings([...list].with(270, token)));
      return tensors;
    });
    expect(problem).toMatch(/tokens without NUL.*for id 270/);
  }
});

test('long and short factors of the rotation come together', () => {
  for (const architecture of ['phi3', 'llama', 'apertus']) {
    const options: TinyOptions = { architecture, hyper: wide };
    const problems = (...lengths: readonly string[]) =>
      problemsOf(options, (tensors, metadata) => {
        if (architecture !== 'phi3') metadata.set(`${architecture}.rope.scaling.type`, entry.string('longrope'));
        const factors = lengths.map(length => ({
          ...{ name: `rope_factors_${length}.weight`, dimensions: [wide.rotated / 2], type: tensorType('f32') },
        }));
        return [...tensors, ...factors];
      });
    expect(problems()).toEqual([]);
    expect(problems('long', 'short')).toEqual([]);
    expect(problems('long')).toEqual([expect.stringContaining('rope_factors_short.weight')]);
    expect(problems('short')).toEqual([expect.stringContaining('rope_factors_long.weight')]);
  }
});

test('nvfp4 with both a scale and a bias is refused, with either it is not', () => {
  const options: TinyOptions = { architecture: 'llama', hyper: wide, optional: () => true };
  for (const [left, problems] of [
    ['', 1],
    ['blk.0.ffn_up.bias', 0],
    ['blk.0.ffn_up.scale', 0],
  ] as const) {
    const found = problemsOf(options, tensors =>
      retyped(tensors, 'blk.0.ffn_up.weight', 'nvfp4').filter(({ name }) => name !== left),
    );
    expect([left, found.length]).toEqual([left, problems]);
  }
});
