import { describe, expect, test } from 'vitest';
import { MeditronError } from '../../src/check/errors.js';
import { type Entry, entry } from '../../src/gguf/metadata.js';
import { readGguf } from '../../src/gguf/reader.js';
import { findProblems, validateModel } from '../../src/gguf/validate.js';
import { writeGguf } from '../../src/gguf/writer.js';
import { floatTensor } from '../../src/synth/quantize.js';
import { pieces, sampleMetadata, sampleTensors, scratch, writeSample } from './sample.js';

const folder = scratch();
const broken = 'ERR_MODEL_FORMAT';
const unsupported = 'ERR_MODEL_UNSUPPORTED';

type Changes = Readonly<Record<string, Entry | undefined>>;

async function problems(changes: Changes): Promise<string[]> {
  const file = await readGguf(await writeSample(folder.path('sample.gguf'), changes));
  return findProblems(file).map(problem => `${problem.code} ${problem.message}`);
}

/** The vocabulary with one token replaced. */
function withToken(id: number, text: string): Changes {
  return { 'tokenizer.ggml.tokens': entry.strings(pieces.with(id, text)) };
}

/** A byte-level vocabulary, but for what each case is about. */
const byteLevel: Changes = { 'tokenizer.ggml.model': entry.string('gpt2'), 'llama.rope.freq_base': entry.f32(500_000) };

const i32s = (...values: number[]): Entry => entry.i32s(Int32Array.of(...values));
const scores = (id: number, value: number): Entry =>
  entry.f32s(new Float32Array(pieces.length).fill(value, id, id + 1));
const types = (id: number, value: number): Entry =>
  entry.i32s(new Int32Array(pieces.length).fill(1).fill(value, id, id + 1));

describe('accepted', () => {
  test('the sample and the stories model', async () => {
    expect(await problems({})).toEqual([]);
    const stories = await readGguf('models/stories260K.gguf');
    expect(() => validateModel(stories)).not.toThrow();
  });

  test.each<[string, Changes]>([
    ['a wrong vocab_size key, which nothing reads', { 'llama.vocab_size': entry.u32(5) }],
    ['several empty tokens', { 'tokenizer.ggml.tokens': entry.strings(pieces.with(0, '').with(259, '')) }],
    ['counts given once per layer', { 'llama.attention.head_count': i32s(2), 'llama.feed_forward_length': i32s(12) }],
    ['rope scaling that is known', { 'llama.rope.scaling.type': entry.string('yarn') }],
    [
      'experts that are counted as none',
      { 'llama.expert_count': entry.u32(0), 'llama.expert_used_count': entry.u32(0) },
    ],
    [
      'explicit head sizes',
      { 'llama.attention.key_length': entry.u32(4), 'llama.attention.value_length': entry.u32(4) },
    ],
    ['a chat template, whatever it says', { 'tokenizer.chat_template': entry.string('{% for') }],
  ])('%s', async (_, changes) => {
    expect(await problems(changes)).toEqual([]);
  });
});

describe('refused', () => {
  test.each<[what: string, changes: Changes, code: string, message: RegExp]>([
    ['no architecture', { 'general.architecture': undefined }, broken, /general\.architecture/],
    ['an unknown architecture', { 'general.architecture': entry.string('plamo2') }, unsupported, /"plamo2"/],
    ['a LoRA adapter', { 'general.type': entry.string('adapter') }, unsupported, /LoRA adapter beside/],
    ['0 blocks', { 'llama.block_count': entry.u32(0) }, broken, /from 1 to 512 \(u32\), got 0/],
    ['513 blocks', { 'llama.block_count': entry.u32(513) }, broken, /got 513/],
    ['blocks as text', { 'llama.block_count': entry.string('1') }, broken, /got string/],
    ['blocks as i32', { 'llama.block_count': entry.i32(1) }, broken, /got i32/],
    ['no blocks key', { 'llama.block_count': undefined }, broken, /no such key/],
    ['a context of 0', { 'llama.context_length': entry.u32(0) }, broken, /context_length/],
    ['a width of 0', { 'llama.embedding_length': entry.u32(0) }, broken, /embedding_length/],
    ['0 heads', { 'llama.attention.head_count': entry.u32(0) }, broken, /head_count.*got 0/],
    [
      'heads that do not divide the width',
      { 'llama.attention.head_count': entry.u32(3) },
      broken,
      /divide the embedding/,
    ],
    ['0 key-value heads', { 'llama.attention.head_count_kv': entry.u32(0) }, broken, /head_count_kv/],
    ['more key-value heads than heads', { 'llama.attention.head_count_kv': entry.u32(4) }, broken, /head_count_kv/],
    [
      'too few entries per layer',
      { 'llama.attention.head_count': i32s(2, 2) },
      broken,
      /one entry for each of the 1 layers/,
    ],
    ['a negative epsilon', { 'llama.attention.layer_norm_rms_epsilon': entry.f32(-1e-5) }, broken, /epsilon/],
    ['epsilon 0', { 'llama.attention.layer_norm_rms_epsilon': entry.f32(0) }, broken, /epsilon/],
    ['epsilon NaN', { 'llama.attention.layer_norm_rms_epsilon': entry.f32(Number.NaN) }, broken, /NaN/],
    ['epsilon 1', { 'llama.attention.layer_norm_rms_epsilon': entry.f32(1) }, broken, /to 0\.1 \(f32\), got 1/],
    ['no epsilon', { 'llama.attention.layer_norm_rms_epsilon': undefined }, broken, /no such key/],
    ['another rope size', { 'llama.rope.dimension_count': entry.u32(2) }, broken, /dimension_count to be 4/],
    [
      'an odd head size',
      { 'llama.attention.key_length': entry.u32(3), 'llama.attention.value_length': entry.u32(3) },
      broken,
      /even/,
    ],
    ['a rope base of 0', { 'llama.rope.freq_base': entry.f32(0) }, broken, /freq_base/],
    ['a rope base of infinity', { 'llama.rope.freq_base': entry.f32(Infinity) }, broken, /freq_base/],
    [
      'unknown rope scaling',
      { 'llama.rope.scaling.type': entry.string('su') },
      broken,
      /none, linear, yarn, longrope, got "su"/,
    ],
    ['experts', { 'llama.expert_count': entry.u32(8) }, unsupported, /mixture-of-experts/],
    ['used experts of none', { 'llama.expert_used_count': entry.u32(2) }, broken, /without experts, got 2/],
    ['expert groups of none', { 'llama.expert_group_count': entry.u32(2) }, broken, /expert_group_count/],
    ['extra prediction layers', { 'llama.nextn_predict_layers': entry.u32(1) }, unsupported, /nextn/],
    ['more of those than layers', { 'llama.nextn_predict_layers': entry.u32(9) }, broken, /nextn/],
    ['an encoder', { 'llama.attention.causal': entry.bool(false) }, unsupported, /causal/],
    ['no tokenizer', { 'tokenizer.ggml.model': undefined }, unsupported, /tokenizer\.ggml\.model/],
    ['an unknown tokenizer', { 'tokenizer.ggml.model': entry.string('t5') }, unsupported, /"t5"/],
    ['no tokens', { 'tokenizer.ggml.tokens': undefined }, broken, /tokens to be a list/],
    ['tokens that are numbers', { 'tokenizer.ggml.tokens': i32s(1, 2) }, broken, /tokens to be a list/],
    ['two equal tokens', withToken(259, '<s>'), broken, /"<s>" for both ids 1 and 259/],
    [
      'a token like a renamed empty one',
      { 'tokenizer.ggml.tokens': entry.strings(pieces.with(0, '').with(259, '[EMPTY_0]')) },
      broken,
      /both ids/,
    ],
    ['a missing byte', withToken(50, 'x'.repeat(9)), broken, /256 bytes, got none for <0x2F>/],
    ['too few scores', { 'tokenizer.ggml.scores': entry.f32s(new Float32Array(10)) }, broken, /array of 260.*of 10/],
    ['no scores', { 'tokenizer.ggml.scores': undefined }, broken, /scores/],
    ['a score of NaN', { 'tokenizer.ggml.scores': scores(7, Number.NaN) }, broken, /NaN for token 7/],
    ['token type 9', { 'tokenizer.ggml.token_type': types(3, 9) }, broken, /9 for token 3/],
    [
      'an end token outside the vocabulary',
      { 'tokenizer.ggml.eos_token_id': entry.u32(260) },
      broken,
      /0 to 259 \(u32\), got 260/,
    ],
    ['an end token of -1', { 'tokenizer.ggml.eos_token_id': entry.i32(-1) }, broken, /got i32/],
    [
      'a padding token outside the vocabulary',
      { 'tokenizer.ggml.padding_token_id': entry.u32(32_004) },
      broken,
      /padding/,
    ],
    ['add_bos_token as a number', { 'tokenizer.ggml.add_bos_token': entry.u32(1) }, broken, /bool/],
    ['gpt2 without merges', { ...byteLevel, 'tokenizer.ggml.pre': entry.string('llama-bpe') }, broken, /merges/],
    [
      'gpt2 without a pre-tokenizer',
      { ...byteLevel, 'tokenizer.ggml.merges': entry.strings(['a b']) },
      broken,
      /tokenizer\.ggml\.pre/,
    ],
    [
      'gpt2 with an unknown pre-tokenizer',
      {
        ...byteLevel,
        'tokenizer.ggml.merges': entry.strings(['a b']),
        'tokenizer.ggml.pre': entry.string('x'),
      },
      unsupported,
      /"x"/,
    ],
  ])('%s', async (_, changes, code, message) => {
    const found = await problems(changes);
    expect(found[0]).toMatch(new RegExp(`^${code} .*sample\\.gguf: expected .*; `));
    expect(found[0]).toMatch(message);
  });

  test('a missing tensor, one of another shape, and weights nothing can multiply with', async () => {
    const path = folder.path('tensors.gguf');
    const shaped = async (
      change: (tensors: ReturnType<typeof sampleTensors>) => typeof tensors,
    ): Promise<string | undefined> => {
      await writeGguf(path, sampleMetadata(), change(sampleTensors()), { force: true });
      return findProblems(await readGguf(path))[0]?.message;
    };
    expect(await shaped(tensors => tensors)).toBeUndefined();
    expect(await shaped(tensors => tensors.slice(0, -1))).toMatch(/blk\.0\.ffn_down\.weight \(12 × 8\), got none/);
    expect(
      await shaped(tensors => [
        floatTensor('token_embd.weight', [8, 259], 'f32', new Float32Array(8 * 259)),
        ...tensors.slice(1),
      ]),
    ).toMatch(/token_embd\.weight to be 8 × 260, got 8 × 259/);
    const whole = { id: 26, name: 'i32', blockSize: 1, blockBytes: 4 } as const;
    expect(await shaped(tensors => tensors.map(t => (t.name.includes('attn_q') ? { ...t, type: whole } : t)))).toMatch(
      /attn_q.*i32/,
    );
    expect(
      await shaped(tensors => tensors.map(t => (t.name.includes('attn_norm') ? { ...t, type: whole } : t))),
    ).toMatch(/attn_norm.*f32/);
  });

  test('a vocabulary without weights', async () => {
    await writeGguf(folder.path('vocabulary.gguf'), sampleMetadata(), []);
    const file = await readGguf(folder.path('vocabulary.gguf'));
    expect(() => validateModel(file)).toThrow(/vocabulary only/);
    expect(() => validateModel(file)).toThrow(MeditronError);
  });

  test('all problems are listed, and the first one is thrown', async () => {
    const path = await writeSample(folder.path('two.gguf'), {
      'llama.rope.freq_base': entry.f32(-1),
      'tokenizer.ggml.bos_token_id': entry.u32(999),
    });
    const file = await readGguf(path);
    expect(findProblems(file).map(problem => problem.code)).toEqual([broken, broken]);
    expect(() => validateModel(file)).toThrow(/freq_base/);
  });
});
