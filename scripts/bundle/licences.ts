import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { productionFolders } from './app.js';
import type { Entry } from './files.js';

/**
 * The terms of everything inside, a file a package; those of llama.cpp come with the package that carries it.
 *
 * @throws an Error that names a package without a text of its terms
 */
export function licences(root: string, node: string, main: string): readonly Entry[] {
  const packages = [
    ['Meditron', main],
    ['Node.js', node],
    ...productionFolders(root).map(folder => [nameOf(join(root, folder)), join(root, folder)]),
  ] as [string, string][];
  const texts = new Map(
    packages.map(([name, folder]) => [`licenses/${name.replace('/', ' ')}.txt`, termsOf(name, folder)]),
  );
  return [...texts].map(([path, text]) => ({ path, content: { text } }));
}

function nameOf(folder: string): string {
  const { name, version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  return `${name} ${version}`;
}

function termsOf(name: string, folder: string): string {
  const found = existsSync(folder)
    ? readdirSync(folder, { withFileTypes: true })
        .filter(entry => entry.isFile() && /^(licen[cs]e|copying|notice)/i.test(entry.name))
        .map(entry => entry.name)
    : [];
  if (found.length > 0) return found.map(file => readFileSync(join(folder, file), 'utf8')).join('\n\n');
  const readme = join(folder, 'README.md');
  const section = existsSync(readme) ? /\n#+ licen[cs]e\b[\s\S]*/i.exec(readFileSync(readme, 'utf8'))?.[0] : undefined;
  if (section === undefined) throw new Error(`${name} has no text of its licence`);
  return section.trim();
}
