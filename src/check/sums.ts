import { createHash } from 'node:crypto';
import { createReadStream, type Dirent } from 'node:fs';
import { readdir, readFile, realpath, stat } from 'node:fs/promises';
import { isAbsolute, join, relative, resolve, sep } from 'node:path';
import { MeditronError } from './errors.js';

/** The file of a folder that has the sums of all others in it. */
export const sumsName = 'SHA256SUMS';

/** Folders at the top that whoever uses the folder may fill: models are listed as added, what is remembered is passed over. */
export const modelsFolder = 'models';
const stateFolders: readonly string[] = ['state', 'no state'];

export interface Sum {
  /** Relative to the folder, with `/`. */
  readonly path: string;
  /** Lower-case hexadecimal. */
  readonly sha256: string;
}

/** What became of a folder since its sums were written. Paths are relative to it, with `/`, in order. */
export interface Verification {
  readonly folder: string;
  /** Everything listed is there and unchanged, and nothing else is but what was added. */
  readonly ok: boolean;
  /** How many files are listed. */
  readonly files: number;
  /** How many bytes of them are there and were read. */
  readonly bytes: number;
  readonly missing: readonly string[];
  /** Other content, or less of it: sums do not tell a file that was cut short from one that was changed. */
  readonly changed: readonly string[];
  /** Files and folders that the medium does not give. */
  readonly unreadable: readonly string[];
  /** Neither listed nor added; system files as `.DS_Store` are passed over. */
  readonly extra: readonly string[];
  /** Links that lead out of the folder, or nowhere. */
  readonly outside: readonly string[];
  /** Files in `models/` that somebody has put there. No fault. */
  readonly added: readonly string[];
}

export interface VerifyOptions {
  /** Told bytes read and bytes in all. */
  readonly onProgress?: (read: number, total: number) => void;
  readonly signal?: AbortSignal;
}

/**
 * Sums as `sha256sum` writes them (for a name with a backslash or a line break in it the line begins with a backslash), and a last
 * line with their number, which tools pass over as a comment: without it a file that was cut behind a line would be a whole one.
 */
export function formatSums(sums: readonly Sum[]): string {
  const lines = sums.map(({ path, sha256 }) => {
    const escaped = path.replace(/[\\\n\r]/g, sign => escapes[sign as keyof typeof escapes]);
    return `${escaped === path ? '' : '\\'}${sha256}  ${escaped}\n`;
  });
  return `${lines.join('')}${lastLine(lines.length)}\n`;
}

function lastLine(count: number): string {
  return `# files listed: ${count}`;
}

const escapes = { '\\': '\\\\', '\n': '\\n', '\r': '\\r' } as const;

/** Reads what `formatSums` writes. @throws MeditronError `ERR_INPUT` with the line that is none, or leads out of the folder */
export function parseSums(text: string, name = sumsName): readonly Sum[] {
  const sums = new Map<string, Sum>();
  const lines = text.split('\n');
  if (lines.pop() !== '') throw unusable(name, 'its last line is cut short');
  const last = lines.pop()?.replace(/\r$/, '');
  if (last !== lastLine(lines.length))
    throw unusable(name, `expected the last line to be "${lastLine(lines.length)}"; lines are missing, or were added`);
  for (const [i, line] of lines.entries()) {
    const [, escaped, sha256, rest] = /^(\\?)([0-9a-f]{64}) [ *](.+)$/is.exec(line.replace(/\r$/, '')) ?? [];
    const path = escaped ? unescaped(rest!) : rest;
    const problem = path === undefined ? 'expected a SHA-256 sum and the name of a file' : faultOf(path);
    if (problem !== undefined) throw unusable(name, `line ${i + 1}: ${problem}`);
    if (sums.has(path!)) throw unusable(name, `line ${i + 1}: the file is listed twice`);
    sums.set(path!, { path: path!, sha256: sha256!.toLowerCase() });
  }
  if (sums.size === 0) throw unusable(name, 'it lists no file');
  return [...sums.values()];
}

function unescaped(text: string): string | undefined {
  if (!/^(?:[^\\]|\\[\\nr])+$/s.test(text)) return undefined;
  return text.replace(/\\(.)/g, (_, sign) => (sign === 'n' ? '\n' : sign === 'r' ? '\r' : sign));
}

function faultOf(path: string): string | undefined {
  const parts = path.split(sep === '\\' ? /[/\\]/ : '/');
  const inside =
    !isAbsolute(path) && !parts.some(part => part === '' || part === '.' || part === '..') && !path.includes('\0');
  return inside && !(sep === '\\' && path.includes(':')) ? undefined : 'expected the name of a file inside the folder';
}

function unusable(name: string, why: string, cause?: unknown): MeditronError {
  return new MeditronError(
    'ERR_INPUT',
    `${name} cannot be used: ${why}. Copy the whole folder again from where you have it`,
    { cause },
  );
}

/**
 * Compares a folder with the sums in it, byte by byte.
 *
 * @throws MeditronError `ERR_INPUT` if the folder has no sums, or they cannot be read; the signal's reason
 */
export async function verifyFolder(folder: string, options: VerifyOptions = {}): Promise<Verification> {
  const root = resolve(folder);
  const sums = await readSums(root);
  const there = await filesIn(root, options.signal);
  const listed = new Set(sums.map(({ path }) => path));
  const others = [...there.files.keys()].filter(path => !listed.has(path) && path !== sumsName).sort();
  const isAdded = (path: string) => path.startsWith(`${modelsFolder}/`) && there.files.get(path) !== undefined;

  const missing: string[] = [];
  const changed: string[] = [];
  const unreadable = [...there.unreadable];
  const sizes = sums.map(({ path }) => there.files.get(path) ?? 0);
  const total = sizes.reduce((sum, size) => sum + size, 0);
  let bytes = 0;
  for (const { path, sha256 } of sums) {
    options.signal?.throwIfAborted();
    if (!there.files.has(path)) {
      missing.push(path);
      continue;
    }
    const found = await hashOf(join(root, path), options.signal, read => {
      bytes += read;
      options.onProgress?.(Math.min(bytes, total), total);
    });
    if (found === undefined) unreadable.push(path);
    else if (found !== sha256) changed.push(path);
  }
  const faults = {
    missing: missing.sort(),
    changed: changed.sort(),
    unreadable: unreadable.sort(),
    extra: others.filter(path => !isAdded(path)),
    outside: [...there.outside].sort(),
  };
  const ok = Object.values(faults).every(list => list.length === 0);
  return { folder: root, ok, files: sums.length, bytes, ...faults, added: others.filter(isAdded) };
}

async function readSums(root: string): Promise<readonly Sum[]> {
  const file = join(root, sumsName);
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code !== 'ENOENT' && code !== 'ENOTDIR') throw unusable(file, message, cause);
    const isFolder = await stat(root).then(
      found => found.isDirectory(),
      () => false,
    );
    throw new MeditronError(
      'ERR_INPUT',
      isFolder
        ? `${root} has no ${sumsName}, which is copied last: the folder was not copied to its end, or is not one of Meditron's. Copy the whole folder again`
        : `${root} is no folder`,
      { cause },
    );
  }
  return parseSums(text, file);
}

interface Found {
  /** With their sizes; undefined for what is neither a file nor a folder. */
  readonly files: Map<string, number | undefined>;
  readonly outside: string[];
  readonly unreadable: string[];
}

/** What systems leave on a medium that they have seen. */
const ofSystems =
  /^(\._.*|\.DS_Store|\.Spotlight-V100|\.Trashes|\.Trash-\d+|\.fseventsd|\.TemporaryItems|\.directory|lost\+found|Thumbs\.db|desktop\.ini|System Volume Information|\$RECYCLE\.BIN)$/i;

/** Every file below a folder. Links to folders are not followed. */
async function filesIn(root: string, signal: AbortSignal | undefined): Promise<Found> {
  const found: Found = { files: new Map(), outside: [], unreadable: [] };
  const real = await realpath(root);
  const visit = async (below: string): Promise<void> => {
    signal?.throwIfAborted();
    let entries: Dirent[];
    try {
      entries = await readdir(join(root, below), { withFileTypes: true });
    } catch {
      found.unreadable.push(below);
      return;
    }
    for (const entry of entries) {
      const path = below === '' ? entry.name : `${below}/${entry.name}`;
      if (ofSystems.test(entry.name) || stateFolders.includes(path)) continue;
      if (entry.isDirectory()) await visit(path);
      else if (!entry.isSymbolicLink() || (await leadsInside(join(root, path), real)))
        found.files.set(path, await sizeOf(join(root, path)));
      else found.outside.push(path);
    }
  };
  await visit('');
  return found;
}

async function leadsInside(link: string, root: string): Promise<boolean> {
  const target = await realpath(link).catch(() => undefined);
  if (target === undefined) return false;
  const way = relative(root, target);
  return way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}

async function sizeOf(path: string): Promise<number | undefined> {
  const found = await stat(path).catch(() => undefined);
  return found?.isFile() ? found.size : undefined;
}

/** Undefined if it cannot be read. */
async function hashOf(
  path: string,
  signal: AbortSignal | undefined,
  onRead: (bytes: number) => void,
): Promise<string | undefined> {
  const hash = createHash('sha256');
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20, ...(signal && { signal }) })) {
      hash.update(chunk);
      onRead(chunk.length);
    }
  } catch {
    signal?.throwIfAborted();
    return undefined;
  }
  return hash.digest('hex');
}
