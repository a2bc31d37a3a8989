import type { FileHandle } from 'node:fs/promises';
import { MeditronError } from '../check/errors.js';
import { checkable, isFiniteTensor } from './finite.js';
import { type Metadata, typeText } from './metadata.js';
import type { GgufFile } from './reader.js';
import type { TensorInfo } from './tensors.js';

/** What an adapter has to fit. */
export interface AdapterBase {
  readonly architecture: string;
  /** The tensors of the model by name. */
  readonly tensors: ReadonlyMap<string, Pick<TensorInfo, 'dimensions' | 'type'>>;
}

/**
 * Refuses an adapter that llama.cpp (llama-adapter.cpp, build_lora_mm) would not survive, would apply to the wrong model, or
 * would load without applying. Reads all of its weights.
 *
 * @returns what is loaded but has no effect, in words
 * @throws MeditronError ERR_LORA, with what is wrong
 */
export async function checkAdapter(file: GgufFile, handle: FileHandle, base: AdapterBase): Promise<readonly string[]> {
  const fail = (
    expected: string,
    got: string,
    advice = 'use an adapter made for this model by convert_lora_to_gguf.py',
  ): never => {
    throw new MeditronError('ERR_LORA', `${file.path}: expected ${expected}, got ${got}; ${advice}`);
  };
  const part = file.parts[0]!;
  if (file.parts.length > 1) fail('an adapter in one file', `${file.parts.length} parts`);
  checkKeys(file.metadata, base, fail);

  const halves = new Map<string, { a?: TensorInfo; b?: TensorInfo }>();
  const norms: string[] = [];
  for (const tensor of file.tensors) {
    const name = tensor.name.slice(0, -suffixA.length);
    if (tensor.name.endsWith(suffixA)) halves.set(name, { ...halves.get(name), a: tensor });
    else if (tensor.name.endsWith(suffixB)) halves.set(name, { ...halves.get(name), b: tensor });
    else if (tensor.name.endsWith('_norm.weight')) norms.push(tensor.name);
    else fail(`tensors called NAME${suffixA} and NAME${suffixB}`, JSON.stringify(tensor.name));
  }
  if (halves.size === 0) fail('at least one pair of tensors', 'none');
  for (const [name, { a, b }] of halves) {
    if (a && b) checkPair(name, a, b, base, fail);
    else fail(`both halves of ${name}`, `${a ? suffixA : suffixB} alone`);
  }
  for (const tensor of file.tensors) {
    if (norms.includes(tensor.name)) continue;
    if (!(await isFiniteTensor(handle, part, tensor))) {
      fail(`finite weights in ${tensor.name}`, 'NaN or infinity', 'the adapter is damaged: make or download it again');
    }
  }
  return norms.length === 0
    ? []
    : [`${file.path}: its ${norms.length} norm tensors are not applied: llama.cpp has no such adapters`];
}

type Fail = (expected: string, got: string, advice?: string) => never;

const suffixA = '.lora_a';
const suffixB = '.lora_b';

/** llama.cpp reads these without looking at their type first, and ends the process if it is another. */
function checkKeys(metadata: Metadata, base: AdapterBase, fail: Fail): void {
  const wanted: readonly (readonly [key: string, value: string])[] = [
    ['general.type', 'adapter'],
    ['general.architecture', base.architecture],
    ['adapter.type', 'lora'],
  ];
  for (const [key, value] of wanted) {
    const found = metadata.get(key);
    if (found?.type === 'string' && found.value === value) continue;
    const got =
      found === undefined ? 'no such key' : found.type === 'string' ? JSON.stringify(found.value) : typeText(found);
    fail(`a LoRA adapter (${key} ${JSON.stringify(value)})`, got);
  }
  const alpha = metadata.get('adapter.lora.alpha');
  if (alpha !== undefined && !(alpha.type === 'f32' && Number.isFinite(alpha.value))) {
    fail('adapter.lora.alpha to be a finite number (f32)', alpha.type === 'f32' ? `${alpha.value}` : typeText(alpha));
  }
  if (metadata.has('adapter.alora.invocation_tokens')) {
    fail(
      'a LoRA adapter that is always on',
      'one that its own tokens switch on (aLoRA)',
      'such adapters are not supported',
    );
  }
}

function checkPair(name: string, a: TensorInfo, b: TensorInfo, base: AdapterBase, fail: Fail): void {
  const target = base.tensors.get(name) ?? fail('tensors that the model has', name);
  const embedding = name === 'token_embd.weight';
  if (target.dimensions.length !== 2)
    fail('matrices to be adapted', name, 'adapters of norms and biases are not supported');
  if (embedding && !base.tensors.has('output.weight')) {
    // The same tensor is the output matrix, whose adapter would be multiplied the other way round.
    fail(
      'an adapter that leaves token_embd.weight alone',
      'one of it',
      'in this model it is the output matrix as well',
    );
  }
  if (target.type.name === 'nvfp4')
    fail(`${name} of the model to be of another type than nvfp4`, 'nvfp4', 'use another quantization');

  const [inputs, outputs] = target.dimensions as [number, number];
  const rank = a.dimensions[embedding ? 0 : 1];
  // The embedding looks up rows of A, so both halves lie the other way round.
  const [shapeA, shapeB] = embedding
    ? [
        [rank, outputs],
        [rank, inputs],
      ]
    : [
        [inputs, rank],
        [rank, outputs],
      ];
  for (const [tensor, shape] of [
    [a, shapeA],
    [b, shapeB],
  ] as const) {
    const [wanted, got] = [shape.join(' × '), tensor.dimensions.join(' × ')];
    if (rank === undefined || wanted !== got) {
      fail(
        `${tensor.name} to be ${shape.map(n => n ?? 'rank').join(' × ')}`,
        got,
        'use an adapter made for this model',
      );
    }
    if (!checkable.has(tensor.type.name)) fail(`${tensor.name} to hold ${[...checkable].join(', ')}`, tensor.type.name);
  }
}
