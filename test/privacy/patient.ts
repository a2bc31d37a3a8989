import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import { entry } from '../../src/gguf/metadata.js';
import { tensorType } from '../../src/gguf/types.js';
import { writeGguf } from '../../src/gguf/writer.js';
import { sourcesOf, tinyModel } from '../../src/synth/tiny.js';
import { type Markers, markers } from './markers.js';

/** What a patient's words may stand in, and files that were made of them. */
export const places = [
  'question',
  'option',
  'prompt',
  'system',
  'grammar',
  'stop',
  'continuation',
  'model description',
  'chat template',
  'adapter description',
] as const;

export interface Patient {
  readonly planted: Markers & Readonly<Record<(typeof places)[number], string>>;
  readonly model: string;
  readonly adapter: string;
  /** Breaks off in the middle. */
  readonly damagedAdapter: string;
}

/** New markers, a small model with random weights and a LoRA adapter for it, both with some of them inside. */
export async function patientIn(folder: string): Promise<Patient> {
  const planted = markers(...places) as Patient['planted'];
  const [model, adapter, damagedAdapter] = ['model.gguf', 'adapter.gguf', 'damaged.gguf'].map(name =>
    join(folder, name),
  ) as [string, string, string];
  const made = tinyModel({ architecture: 'llama', hyper: { context: 4096 } });
  made.metadata.set('general.description', entry.string(planted['model description']));
  made.metadata.set('tokenizer.chat_template', entry.string(`${planted['chat template']} {{ messages[0].content }}`));
  await writeGguf(model, made.metadata, sourcesOf(made.tensors));

  const { hyper } = made;
  const pair = [
    { name: 'blk.0.attn_q.weight.lora_a', dimensions: [hyper.embedding, 2] },
    { name: 'blk.0.attn_q.weight.lora_b', dimensions: [2, hyper.heads * hyper.keySize] },
  ].map(({ name, dimensions }) => ({
    name,
    dimensions,
    type: tensorType('f32'),
    bytes: new Uint8Array(4 * dimensions[0]! * dimensions[1]!),
  }));
  const metadata = new Map([
    ['general.architecture', entry.string('llama')],
    ['general.type', entry.string('adapter')],
    ['general.description', entry.string(planted['adapter description'])],
    ['adapter.type', entry.string('lora')],
    ['adapter.lora.alpha', entry.f32(4)],
  ]);
  await writeGguf(adapter, metadata, sourcesOf(pair));
  await writeGguf(
    damagedAdapter,
    new Map([...metadata, ['adapter.lora.alpha', entry.string(planted['adapter description'])]]),
    sourcesOf(pair),
  );
  await appendFile(damagedAdapter, planted['adapter description']);
  return { planted, model, adapter, damagedAdapter };
}
