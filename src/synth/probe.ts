import { writeGguf } from '../gguf/writer.js';
import type { Encodable } from './quantize.js';
import { sourcesOf, type TinyModel, tinyModel } from './tiny.js';

/**
 * A model of one layer whose kernels are those of MEDITRON-7B in Q4_K_M: heads of 128, rows that k-quants fit, the same types
 * for the same tensors. Attention is sharp and weighs much, so that a wrong attention kernel shows in the output.
 */
export function probeModel(): TinyModel {
  return tinyModel({
    architecture: 'llama',
    hyper: {
      layers: 1,
      embedding: 256,
      feedForward: 256,
      heads: 2,
      kvHeads: 2,
      keySize: 128,
      valueSize: 128,
      rotated: 128,
    },
    optional: name => name === 'output.weight',
    type: typeOf,
    scale: name => (/attn_[qk]\./.test(name) ? 1.5 : /attn_output|^output\./.test(name) ? 2 : 1),
  });
}

/** Writes it. @throws MeditronError `ERR_OUTPUT` */
export async function writeProbeModel(path: string): Promise<void> {
  const { metadata, tensors } = probeModel();
  await writeGguf(path, metadata, sourcesOf(tensors), { force: true });
}

function typeOf(name: string): Encodable {
  return /attn_v|ffn_down|^output\./.test(name) ? 'q6_K' : 'q4_K';
}
