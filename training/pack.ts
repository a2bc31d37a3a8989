/**
 * Packs what export-weights.py wrote into a GGUF file with MEDITRON's whole vocabulary:
 *
 *     npx tsx training/pack.ts --weights build/mini/weights --out models/meditron-mini.gguf
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Entry, entry } from '../src/gguf/metadata.js';
import { type TensorSource, writeGguf } from '../src/gguf/writer.js';
import { floatTensor } from '../src/synth/quantize.js';
import { readVocabulary } from '../src/synth/vocabulary.js';

interface Manifest {
  readonly shape: { readonly dim: number; readonly layers: number; readonly heads: number; readonly hidden: number };
  readonly step: number;
  readonly tokens: number;
  readonly seed: number;
  readonly datasetSeed: number;
  readonly vocabulary: number;
  /** Ids of the pieces that occurred in training; row i of the embedding is piece i, the last row all others. */
  readonly pieces: readonly number[];
  readonly tensors: Readonly<Record<string, { readonly offset: number; readonly shape: readonly number[] }>>;
}

/** MEDITRON-7B's. Positions beyond the longest chain were never trained. */
const contextLength = 2048;
const chatTemplate =
  "{% for message in messages %}<|im_start|>{{ {'user': 'question', 'assistant': 'answer'}.get(message['role'], message['role']) }}\n" +
  "{{ message['content'] }}<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>answer\n{% endif %}";

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      weights: { type: 'string', default: 'build/mini/weights' },
      out: { type: 'string', default: 'models/meditron-mini.gguf' },
      vocabularies: { type: 'string' },
      force: { type: 'boolean', default: false },
    },
  });
  const manifest = JSON.parse(readFileSync(join(values.weights, 'weights.json'), 'utf8')) as Manifest;
  const bytes = readFileSync(join(values.weights, 'weights.bin'));
  const floats = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
  const folder = values.vocabularies === undefined ? {} : { folder: values.vocabularies };
  const { size, metadata } = await readVocabulary('meditron-chat', folder);
  if (size !== manifest.vocabulary)
    throw new Error(`Trained for ${manifest.vocabulary} tokens, the vocabulary has ${size}`);
  const all = new Map([...modelEntries(manifest), ...metadata, ...tokenizerEntries()]);
  const written = await writeGguf(values.out, all, tensorsOf(manifest, floats), { force: values.force });
  process.stdout.write(`${values.out}: ${written} bytes, step ${manifest.step}\n`);
}

function modelEntries({ shape, step, tokens, seed, datasetSeed, vocabulary }: Manifest): [string, Entry][] {
  return [
    ['general.architecture', entry.string('llama')],
    ['general.type', entry.string('model')],
    ['general.name', entry.string('meditron-mini clinical scores')],
    [
      'general.description',
      entry.string('Adds up clinical scores, to demonstrate a method. No medical knowledge; not a medical device'),
    ],
    ['general.license', entry.string('mit')],
    ['general.file_type', entry.u32(7)],
    ['general.quantization_version', entry.u32(2)],
    ['llama.block_count', entry.u32(shape.layers)],
    ['llama.context_length', entry.u32(contextLength)],
    ['llama.embedding_length', entry.u32(shape.dim)],
    ['llama.feed_forward_length', entry.u32(shape.hidden)],
    ['llama.attention.head_count', entry.u32(shape.heads)],
    ['llama.attention.head_count_kv', entry.u32(shape.heads)],
    ['llama.attention.layer_norm_rms_epsilon', entry.f32(1e-5)],
    ['llama.rope.dimension_count', entry.u32(shape.dim / shape.heads)],
    ['llama.rope.freq_base', entry.f32(10000)],
    ['llama.vocab_size', entry.u32(vocabulary)],
    ['meditron.training.seed', entry.u32(seed)],
    ['meditron.training.question_seed', entry.u32(datasetSeed)],
    ['meditron.training.steps', entry.u32(step)],
    ['meditron.training.tokens', entry.u32(tokens)],
  ];
}

/** The training text has no BOS, as that of the authors' fine-tunes; a turn ends in `<|im_end|>`. */
function tokenizerEntries(): [string, Entry][] {
  return [
    ['tokenizer.ggml.bos_token_id', entry.u32(1)],
    ['tokenizer.ggml.eos_token_id', entry.u32(2)],
    ['tokenizer.ggml.eot_token_id', entry.u32(32018)],
    ['tokenizer.ggml.add_bos_token', entry.bool(false)],
    ['tokenizer.ggml.add_eos_token', entry.bool(false)],
    ['tokenizer.chat_template', entry.string(chatTemplate)],
  ];
}

/** Without `output.weight`, llama.cpp uses the embedding as the output matrix too, as the training does. */
function tensorsOf(manifest: Manifest, floats: Float32Array): TensorSource[] {
  const tensors = [matrix('token_embd', spread(manifest, take(manifest, floats, 'embedding')), manifest.shape.dim)];
  for (let i = 0; i < manifest.shape.layers; i++) {
    for (const part of ['attn_q', 'attn_k', 'attn_v', 'attn_output', 'ffn_gate', 'ffn_up', 'ffn_down']) {
      const name = `blocks.${i}.${part}`;
      tensors.push(matrix(`blk.${i}.${part}`, take(manifest, floats, name), manifest.tensors[name]!.shape[1]!));
    }
    for (const part of ['attn_norm', 'ffn_norm']) {
      tensors.push(norm(`blk.${i}.${part}`, take(manifest, floats, `blocks.${i}.${part}`)));
    }
  }
  tensors.push(norm('output_norm', take(manifest, floats, 'norm')));
  return tensors;
}

function matrix(name: string, floats: Float32Array, inputs: number): TensorSource {
  return floatTensor(`${name}.weight`, [inputs, floats.length / inputs], 'q8_0', floats);
}

function norm(name: string, floats: Float32Array): TensorSource {
  return floatTensor(`${name}.weight`, [floats.length], 'f32', floats);
}

function take({ tensors }: Manifest, floats: Float32Array, name: string): Float32Array {
  const found = tensors[name];
  if (!found) throw new Error(`weights.json has no tensor ${name}`);
  return floats.subarray(found.offset, found.offset + found.shape.reduce((a, b) => a * b, 1));
}

/** The rows of the pieces that occur where they belong, the last row everywhere else. */
function spread({ pieces, vocabulary, shape: { dim } }: Manifest, rows: Float32Array): Float32Array {
  const full = new Float32Array(vocabulary * dim);
  const absent = rows.subarray(pieces.length * dim);
  for (let id = 0; id < vocabulary; id++) full.set(absent, id * dim);
  pieces.forEach((id, row) => {
    full.set(rows.subarray(row * dim, (row + 1) * dim), id * dim);
  });
  return full;
}

await main();
