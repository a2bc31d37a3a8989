import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { MeditronError } from '../check/errors.js';
import type { Shape } from './shapes.js';

/** Of llama.cpp's tree, and those that it lacks. */
const folders = ['../../build/llama.cpp/models/templates/', '../../test/fixtures/templates/'];

/** A shape's published chat template, of those in a checkout; `''` where it has none. @throws MeditronError ERR_INPUT */
export async function templateOf({ template }: Shape): Promise<string> {
  if (template === undefined) return '';
  let cause: unknown;
  for (const folder of folders) {
    try {
      return await readFile(fileURLToPath(new URL(`${folder}${template}.jinja`, import.meta.url)), 'utf8');
    } catch (error) {
      cause = error;
    }
  }
  const advice = 'build once with `npm run build`, which unpacks llama.cpp’s source tree, or give a template';
  throw new MeditronError('ERR_INPUT', `The chat template ${template}.jinja cannot be read; ${advice}`, { cause });
}
