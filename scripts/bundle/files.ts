import { createHash } from 'node:crypto';
import { createReadStream, type Dirent, readdirSync, statSync } from 'node:fs';
import { mkdir, open, readdir, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { formatSums, type Sum, sumsName } from '../../src/check/sums.js';

/** A file of the folder: where it goes, and where its content comes from. */
export interface Entry {
  /** Relative to the folder, with `/`. */
  readonly path: string;
  readonly content: { readonly file: string } | { readonly text: string };
  readonly executable?: boolean;
}

/** Every file below a folder that is wanted, as entries below `to`. */
export function filesBelow(folder: string, to: string, isWanted: (path: string) => boolean = () => true): Entry[] {
  const entries: Entry[] = [];
  const visit = (below: string) => {
    for (const entry of readdirSync(join(folder, below), { withFileTypes: true }) as Dirent[]) {
      const path = below === '' ? entry.name : `${below}/${entry.name}`;
      if (entry.isDirectory()) visit(path);
      else if (entry.isFile() && isWanted(path))
        entries.push({ path: `${to}/${path}`, content: { file: join(folder, path) } });
    }
  };
  visit('');
  return entries;
}

export function sizeOf({ content }: Entry): number {
  return 'text' in content ? Buffer.byteLength(content.text) : statSync(content.file).size;
}

/** What some file system that a stick may have cannot hold, in words. Windows reads FAT32, exFAT and NTFS; its paths have 260 letters. */
export function nameProblems(paths: readonly string[]): readonly string[] {
  const longest = 200;
  const problems: string[] = [];
  const seen = new Map<string, string>();
  for (const path of paths) {
    const parts = path.split('/');
    if (/[^\x20-\x7e]/.test(path)) problems.push(`${path}: letters other than ASCII`);
    if (path.length > longest) problems.push(`${path}: longer than ${longest} letters`);
    if (parts.some(part => /[<>:"|?*\\]|[. ]$/.test(part))) problems.push(`${path}: signs that Windows forbids`);
    if (parts.some(part => /^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i.test(part)))
      problems.push(`${path}: a name that Windows keeps for devices`);
    const same = seen.get(path.toLowerCase());
    if (same !== undefined) problems.push(`${path} and ${same}: one name where case does not count`);
    seen.set(path.toLowerCase(), path);
  }
  return problems;
}

/** A file on FAT32 is shorter than 4 GiB. */
export const mostOnFat32 = 2 ** 32 - 1;

/** @throws an Error if the folder is there and not empty, or its disk has no room for so many bytes */
export async function prepare(folder: string, bytes: number): Promise<void> {
  await mkdir(folder, { recursive: true });
  const names = await readdir(folder);
  if (names.length > 0) throw new Error(`${folder} is not empty: name a folder that is not there yet`);
  const { bavail, bsize } = await statfs(folder);
  if (bavail * bsize < bytes)
    throw new Error(`${folder} has room for ${bavail * bsize} bytes, and the folder takes ${bytes}`);
}

/** Writes everything, and the sums last: a folder without them is not finished. */
export async function writeAll(
  folder: string,
  entries: readonly Entry[],
  onProgress: (path: string, written: number) => void,
): Promise<void> {
  const sums: Sum[] = [];
  for (const entry of entries) {
    const hash = createHash('sha256');
    const path = join(folder, entry.path);
    await mkdir(dirname(path), { recursive: true });
    const file = await open(path, 'wx', entry.executable ? 0o755 : 0o644);
    try {
      let written = 0;
      for await (const piece of pieces(entry)) {
        hash.update(piece);
        await file.writeFile(piece);
        written += piece.length;
        onProgress(entry.path, written);
      }
      await file.sync();
    } finally {
      await file.close();
    }
    sums.push({ path: entry.path, sha256: hash.digest('hex') });
  }
  sums.sort((a, b) => (a.path < b.path ? -1 : 1));
  const file = await open(join(folder, sumsName), 'wx', 0o644);
  try {
    await file.writeFile(formatSums(sums));
    await file.sync();
  } finally {
    await file.close();
  }
}

async function* pieces({ content }: Entry): AsyncGenerator<Buffer> {
  if ('text' in content) yield Buffer.from(content.text);
  else yield* createReadStream(content.file, { highWaterMark: 1 << 22 });
}
