import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * Program and arguments that start npm, for `spawn`. On Windows npm is a batch file, which Node starts in a shell only: npm's own
 * program is started instead.
 * @param {readonly string[]} args
 * @returns {[string, string[]]}
 */
export function npm(args) {
  if (process.platform !== 'win32') return ['npm', [...args]];
  const beside = join(dirname(process.execPath), 'node_modules', 'npm', 'bin', 'npm-cli.js');
  const cli = process.env.npm_execpath ?? beside;
  if (!existsSync(cli)) throw new Error(`npm was not found: expected ${cli}. Start this with \`npm run\`.`);
  return [process.execPath, [cli, ...args]];
}
