import { readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The project's folder, from src/cli and from dist/cli alike. */
export const root = resolve(dirname(fileURLToPath(import.meta.url)), '..', '..');

/** The project's version, from package.json. */
export const version: string = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).version;
