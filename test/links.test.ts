import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { expect, test } from 'vitest';

const root = resolve(import.meta.dirname, '..');
const below = (folder: string) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map(name => join(folder, name));
const pages = [
  ...readdirSync(root),
  ...['bench', 'docs', 'examples', 'models', 'npm', 'training'].flatMap(below),
].filter(name => name.endsWith('.md') && !name.includes('node_modules'));

/** Where the links of a page begin. The main package's page lies at its top, where what it points at lies as in the checkout. */
const baseOf = (page: string) => (page === join('npm', 'meditron', 'README.md') ? root : resolve(root, dirname(page)));

/** What is no code of a page: neither a block nor within backticks. */
const proseOf = (page: string) =>
  readFileSync(page, 'utf8')
    .replace(/^```.*?^```$/gms, '')
    .replace(/`[^`\n]*`/g, '');

/** What GitHub names the headings of a page; those of one name are numbered. */
function anchorsOf(page: string): readonly string[] {
  const seen = new Map<string, number>();
  return [...readFileSync(page, 'utf8').matchAll(/^#+ (.*)$/gm)].map(([, heading]) => {
    const name = heading!
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\- ]/gu, '')
      .replaceAll(' ', '-');
    const before = seen.get(name) ?? 0;
    seen.set(name, before + 1);
    return before === 0 ? name : `${name}-${before}`;
  });
}

test.each(pages)('what %s points at is there, the heading too', page => {
  const links = [...proseOf(join(root, page)).matchAll(/\]\(([^):\s]+)\)/g)].map(([, link]) => link!);
  const broken = links.filter(link => {
    const [to, heading] = link.split('#') as [string, string?];
    const place = to === '' ? join(root, page) : resolve(baseOf(page), to);
    if (!existsSync(place)) return true;
    // typedoc numbers a few headings that GitHub does not.
    if (page.startsWith(join('docs', 'reference'))) return false;
    return heading !== undefined && statSync(place).isFile() && !anchorsOf(place).includes(heading);
  });
  expect(broken).toEqual([]);
});
