import { MeditronError } from '../check/errors.js';
import type { ModelInfo } from '../engine/info.js';

/** Another file at the same place is another model, and on other devices it computes something else. */
export function checkSame(before: ModelInfo, now: ModelInfo): void {
  const identity = ({ files }: ModelInfo) => files.map(file => file.identity).join(' ');
  if (identity(before) !== identity(now)) {
    throw new MeditronError(
      'ERR_MODEL_FILE',
      `${before.path}: expected the file that was loaded before the engine died, got one that was replaced or changed since; load the model again`,
    );
  }
  const placed = ({ layersOf }: ModelInfo) => layersOf.map(({ device, layers }) => `${layers} on ${device}`).join(', ');
  if (placed(before) !== placed(now)) {
    throw new MeditronError(
      'ERR_MODEL_LOAD',
      `${before.path}: expected the layers where they were before the engine died (${placed(before) || 'on the CPU'}), ` +
        `got ${placed(now) || 'the CPU alone'}; load the model again`,
    );
  }
}
