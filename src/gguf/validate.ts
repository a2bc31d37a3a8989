import { architectures } from './architecture.js';
import { Checklist, type Problem } from './checklist.js';
import { readHyper } from './hyper.js';
import { stringAt } from './metadata.js';
import type { GgufFile } from './reader.js';
import { checkTokenizer } from './tokenizer.js';
import { checkWeights } from './weights.js';

export type { Problem } from './checklist.js';

/**
 * Refuses a file that is not a model this engine runs. llama.cpp ends the process on many of the things checked here,
 * or carries on and gives wrong answers.
 *
 * @throws MeditronError ERR_MODEL_UNSUPPORTED for sound files of another kind (vocabulary only, LoRA adapter, unknown
 * architecture); ERR_MODEL_FORMAT for damaged or wrongly made ones.
 */
export function validateModel(file: GgufFile): void {
  check(file).throwFirst();
}

/** The same as a list, for showing. Checks that depend on a failed one are left out. */
export function findProblems(file: GgufFile): readonly Problem[] {
  return check(file).problems;
}

function check(file: GgufFile): Checklist {
  const list = new Checklist(file.path);
  const name = checkKind(list, file);
  const architecture = name === undefined ? undefined : architectures.get(name);
  if (name === undefined || architecture === undefined) return list;

  const hyper = readHyper(list, file.metadata, name, architecture);
  const vocabularySize = checkTokenizer(list, file.metadata, name);
  if (hyper !== undefined && vocabularySize !== undefined) {
    checkWeights(list, file.tensors, hyper, architecture, vocabularySize);
  }
  return list;
}

/** The architecture, if the file is a text model of a known one. */
function checkKind(list: Checklist, file: GgufFile): string | undefined {
  const kind = stringAt(file.metadata, 'general.type');
  const name = stringAt(file.metadata, 'general.architecture');
  if (kind !== undefined && kind !== 'model') {
    const advice =
      kind === 'adapter' ? 'pass it as LoRA adapter beside its base model' : 'use the file of the text model';
    list.unsupported('a text model', `a file of type ${JSON.stringify(kind)}`, advice);
  } else if (name === undefined) {
    list.damaged('general.architecture to be a string', 'none');
  } else if (!architectures.has(name)) {
    const advice = 'use a model of one of these architectures';
    list.unsupported(`an architecture among ${[...architectures.keys()].join(', ')}`, JSON.stringify(name), advice);
  } else if (file.tensors.length === 0) {
    list.unsupported('a model with weights', 'a file with a vocabulary only', 'use the .gguf file with the weights');
  } else {
    return name;
  }
  return undefined;
}
