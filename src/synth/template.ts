import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { MeditronError } from '../check/errors.js';
import type { Shape } from './shapes.js';

/** A shape's chat template, of those in llama.cpp's tree; `''` where it has none. @throws MeditronError ERR_INPUT */
export async function templateOf({ template }: Shape): Promise<string> {
  if (template === undefined) return '';
  const path = fileURLToPath(new URL(`../../build/llama.cpp/models/templates/${template}`, import.meta.url));
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    const advice = 'it is part of llama.cpp’s source tree: build once with `npm run build`, or give a template';
    throw new MeditronError('ERR_INPUT', `The chat template ${path} cannot be read; ${advice}`, { cause });
  }
}
