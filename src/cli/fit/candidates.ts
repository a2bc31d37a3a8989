import { existsSync } from 'node:fs';
import { MeditronError } from '../../check/errors.js';
import type { ReckonedModel } from '../../engine/capacity/outlook.js';
import { readGguf } from '../../gguf/reader.js';
import type { TensorTypeName } from '../../gguf/types.js';
import { validateModel } from '../../gguf/validate.js';
import { modelPath } from '../../models/added.js';
import { headerOf, recognised } from '../../models/header.js';
import { factsFor } from '../../models/known.js';
import { publishedNames, publishedShape, reckonedOf, tensorsOf, usualQuants } from '../../models/published.js';
import type { ModelFacts } from '../../models/registry.js';
import { recordedHash } from '../models/recorded.js';

/** A model in one quantization, before anything is known of the machine. */
export interface Candidate {
  readonly quantization: string;
  readonly model: ReckonedModel;
  readonly tensors: readonly { readonly name: string; readonly type: TensorTypeName; readonly bytes: number }[];
}

export interface Candidates {
  readonly title: string;
  /** Null for a model that is not here. */
  readonly path: string | null;
  /** Where its shape was read. */
  readonly source: string;
  /** What is published of it; null if it is not known which model it is. */
  readonly facts: ModelFacts | null;
  /** The finest first; at least one. */
  readonly candidates: readonly Candidate[];
}

/** A file's own quantization, or all usual ones of a published model. */
export async function candidatesOf(given: string, signal: AbortSignal): Promise<Candidates> {
  const name = modelPath(given);
  const isFile = existsSync(name) || /[/\\]|\.gguf$/i.test(name);
  if (isFile) {
    const file = await readGguf(name, { signal });
    validateModel(file);
    const model = headerOf(file);
    const { facts } = recognised(model, recordedHash(model));
    const tensors = file.tensors.map(({ name, type, bytes }) => ({ name, type: type.name, bytes }));
    const candidates: Candidate[] = [{ quantization: model.quantization.name, model, tensors }];
    return { title: model.name ?? name, path: name, source: 'the file’s header', facts, candidates };
  }
  const shape = publishedShape(name);
  if (!shape) {
    throw new MeditronError(
      'ERR_INPUT',
      `Expected a GGUF file or the name of a model whose shape is published, got ${JSON.stringify(name)}, which is neither. ` +
        `Known: ${publishedNames.join(', ')}; of any other model give the file`,
    );
  }
  const candidates = Object.entries(usualQuants).map(([quant, quantization]): Candidate => {
    const tensors = tensorsOf(shape, quant as keyof typeof usualQuants);
    return { quantization, tensors, model: reckonedOf(shape, tensors) };
  });
  const facts = factsFor({ name });
  return { title: shape.title, path: null, source: shape.source, facts, candidates };
}
