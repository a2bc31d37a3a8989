import { basename } from 'node:path';
import { MeditronError } from '../../check/errors.js';

/** What a model is called: its file's name without `.gguf`, and of a split model without the number of its part. */
export function nameOf(path: string): string {
  return basename(path.replaceAll('\\', '/'))
    .replace(/\.gguf$/i, '')
    .replace(/-00001-of-\d{5}$/, '');
}

export function unknownModel(name: string, known: readonly string[]): MeditronError {
  return new MeditronError(
    'ERR_UNKNOWN_MODEL',
    `Expected \`model\` to be one of ${known.join(', ')}, got ${name.length > 100 ? `a text of ${name.length} characters` : JSON.stringify(name)}`,
  );
}
