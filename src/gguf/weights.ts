import type { Architecture } from './architecture.js';
import type { Checklist } from './checklist.js';
import type { Hyper } from './hyper.js';
import { layoutOf, type TensorRule, withoutOnes } from './layout.js';
import type { TensorInfo } from './tensors.js';
import { forMatrices } from './types.js';

/** One wrong count makes every tensor wrong: the first few say enough. */
const mostProblems = 5;

/** Checks that the tensors an architecture needs are there and no others, in shapes and types that its graph computes with. */
export function checkWeights(
  list: Checklist,
  tensors: readonly TensorInfo[],
  hyper: Hyper,
  architecture: Architecture,
  vocabularySize: number,
): void {
  const present = new Map(tensors.map(tensor => [tensor.name, tensor]));
  const rules = layoutOf(hyper, architecture, vocabularySize, present);
  for (const [name, rule] of rules) {
    const found = present.get(name);
    if (found !== undefined) checkTensor(list, found, rule);
    else if (rule.required) list.damaged(`a tensor ${name} (${text(rule.shape)})`, 'none');
    if (list.problems.length >= mostProblems) return;
  }
  for (const { name } of tensors) {
    if (rules.has(name)) continue;
    const advice = 'use a file of the plain model, as convert_hf_to_gguf.py writes it';
    list.unsupported('only tensors that this architecture has', `${name} as well`, advice);
    if (list.problems.length >= mostProblems) return;
  }
  checkScaled(list, present, hyper);
}

function checkTensor(list: Checklist, { name, dimensions, type }: TensorInfo, { shape, role }: TensorRule): void {
  const [wanted, got] = [text(shape), text(withoutOnes(dimensions))];
  if (wanted !== got) list.damaged(`tensor ${name} to be ${wanted}`, text(dimensions));
  else if (role === 'vector' && type.name !== 'f32') list.damaged(`tensor ${name} to hold f32`, type.name);
  else if (!forMatrices.has(type.name)) list.damaged(`tensor ${name} to hold weights`, type.name);
}

/** The scale of an nvfp4 matrix would come after its bias, which build_ffn asserts does not happen. */
function checkScaled(list: Checklist, present: ReadonlyMap<string, TensorInfo>, hyper: Hyper): void {
  for (let i = 0; i < hyper.layers; i++) {
    for (const name of ['ffn_gate', 'ffn_up', 'ffn_down'].map(matrix => `blk.${i}.${matrix}`)) {
      if (present.get(`${name}.weight`)?.type.name !== 'nvfp4') continue;
      if (!present.has(`${name}.scale`) || !present.has(`${name}.bias`)) continue;
      list.unsupported(`${name} to have a scale or a bias`, 'both', 'use another quantization');
      return;
    }
  }
}

function text(shape: readonly number[]): string {
  return shape.length === 0 ? '1' : shape.join(' × ');
}
