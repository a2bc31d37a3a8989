import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { packageFolder } from './project.js';
import { sumsName } from './sums.js';

/** The sheet for whoever opens the folder. */
export const sheetName = 'Read me first.txt';

/**
 * The folder that holds this package with a Node of its own, as `npm run bundle` lays it out: the package is `app/node_modules/meditron`
 * in it. Undefined if the package is installed in any other way.
 */
export function stickFolder(folder = packageFolder()): string | undefined {
  const root = resolve(folder, '..', '..', '..');
  const isApp = join(root, 'app', 'node_modules', 'meditron') === resolve(folder);
  return isApp && [sumsName, sheetName].some(name => existsSync(join(root, name))) ? root : undefined;
}
