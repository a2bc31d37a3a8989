import { optionError } from '../../check/errors.js';
import type { Model } from '../../engine/model.js';

/** Token ids of a field. @throws MeditronError `ERR_OPTION` if one of them is none of the model's */
export function checkedIds(field: string, ids: readonly number[], { info }: Model): readonly number[] {
  const wrong = ids.find(id => id < 0 || id >= info.vocabulary.size);
  if (wrong === undefined) return ids;
  throw optionError(field, `token ids from 0 to ${info.vocabulary.size - 1}`, wrong);
}
