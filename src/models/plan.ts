import { architectures } from '../gguf/architecture.js';
import type { Hyper } from '../gguf/hyper.js';
import { layoutOf } from '../gguf/layout.js';
import type { Shape } from './shapes.js';

/** One tensor of a model; `attention` and `feedForward` are the matrices of each that have no role of their own. */
export interface Plan {
  readonly name: string;
  readonly dimensions: readonly number[];
  readonly role:
    | 'embedding'
    | 'output'
    | 'norm'
    | 'bias'
    | 'attention'
    | 'value'
    | 'attentionOutput'
    | 'feedForward'
    | 'down';
  readonly layer: number;
}

/** Every tensor that llama.cpp creates for a shape and that a conversion writes, in the order they are written. */
export function planTensors(shape: Shape, vocabularySize: number): readonly Plan[] {
  const architecture = architectures.get(shape.architecture)!;
  // phi3 is converted with one matrix for queries, keys and values.
  const fused = architecture.feedForward === 'fused' ? 'attn_qkv' : '';
  const present = { has: (name: string) => fused !== '' && name.includes(fused), get: () => undefined };
  const plans = [...layoutOf(hyperOf(shape), architecture, vocabularySize, present)].flatMap(
    ([name, { shape: dimensions, required }]): Plan[] => {
      if (!required && (name !== 'output.weight' || shape.tied)) return [];
      return [{ name, dimensions, layer: Number(/^blk\.(\d+)\./.exec(name)?.[1] ?? 0), role: roleOf(name, shape) }];
    },
  );
  const last = (plan: Plan): boolean => plan.name.startsWith('output');
  return [...plans.filter(plan => !last(plan)), ...plans.filter(last)];
}

/** The numbers that a file of the shape gives. */
function hyperOf(shape: Shape): Hyper {
  const size = headSizeOf(shape);
  return { ...shape, keySize: size, valueSize: size, rotated: size, ropeScaling: 'linear' };
}

export function headSizeOf({ headSize, embedding, heads }: Shape): number {
  return headSize ?? embedding / heads;
}

function roleOf(name: string, { tied }: Shape): Plan['role'] {
  if (name.endsWith('.bias')) return 'bias';
  if (name.endsWith('_norm.weight')) return 'norm';
  if (name === 'output.weight') return 'output';
  if (name === 'token_embd.weight') return tied ? 'output' : 'embedding';
  if (/attn_(v|qkv)\.weight$/.test(name)) return 'value';
  if (name.endsWith('attn_output.weight')) return 'attentionOutput';
  if (name.endsWith('ffn_down.weight')) return 'down';
  return name.includes('.ffn_') ? 'feedForward' : 'attention';
}
