import { existsSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { homedir, userInfo } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { Hono, type MiddlewareHandler } from 'hono';
import { packageFolder } from '../../check/project.js';
import { stickFolder } from '../../check/stick.js';
import { modelsFolder } from '../../check/sums.js';
import { readable } from '../../evaluate/tasks/locate.js';
import { isLaterPart } from '../../gguf/split.js';
import { RequestError } from '../error.js';
import type { FolderEntry, FolderState } from './protocol.js';

/** Entries of a folder that are listed. */
const mostEntries = 2000;

/** The machine's folders, for choosing a model or a file of questions. */
export function filesRoutes(pageOnly: MiddlewareHandler): Hono {
  return new Hono().get('/v1/meditron/files', pageOnly, async c => {
    const folder = resolve(c.req.query('folder') || homedir());
    return c.json<FolderState>(await folderState(folder));
  });
}

async function folderState(folder: string): Promise<FolderState> {
  const { entries, cut } = await entriesOf(folder);
  const parent = dirname(folder);
  return { folder, parent: parent === folder ? null : parent, places: await places(), entries, cut };
}

async function entriesOf(folder: string): Promise<Pick<FolderState, 'entries' | 'cut'>> {
  let names: string[];
  try {
    names = await readdir(folder);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const why = code === 'ENOENT' ? 'there is no such folder' : code === 'ENOTDIR' ? 'it is a file' : `${code}`;
    throw new RequestError(400, `Expected \`folder\` to be a folder that can be read: ${why}`, 'folder');
  }
  const shown = names.filter(name => !name.startsWith('.') && !name.startsWith('$')).sort(byName);
  const found = await Promise.all(shown.slice(0, mostEntries).map(name => entryOf(folder, name)));
  const entries = found.flatMap(entry => entry ?? []);
  const isFolder = ({ kind }: FolderEntry) => kind === 'folder';
  return {
    entries: [...entries.filter(isFolder), ...entries.filter(entry => !isFolder(entry))],
    cut: shown.length > mostEntries,
  };
}

/** Undefined for what is of no use here, or leads nowhere. A model in several parts is chosen by its first. */
async function entryOf(folder: string, name: string): Promise<FolderEntry | undefined> {
  const path = join(folder, name);
  const found = await stat(path).catch(() => undefined);
  if (found?.isDirectory()) return { name, path, kind: 'folder', sizeBytes: null };
  if (!found?.isFile()) return undefined;
  const kind = /\.gguf$/i.test(name) ? 'model' : readable.test(name) ? 'questions' : undefined;
  return kind && !isLaterPart(name) ? { name, path, kind, sizeBytes: found.size } : undefined;
}

function byName(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true, sensitivity: 'base' });
}

/** Where to begin. */
async function places(): Promise<FolderState['places']> {
  const stick = stickFolder();
  const models = stick === undefined ? join(packageFolder(), 'models') : join(stick, modelsFolder);
  const found = [{ name: 'Home', path: homedir() }, { name: 'Models', path: models }, ...(await media())];
  return found.filter(({ path }) => existsSync(path));
}

/** What is mounted: sticks, drives. */
async function media(): Promise<{ name: string; path: string }[]> {
  if (process.platform === 'win32')
    return [...'ABCDEFGHIJKLMNOPQRSTUVWXYZ'].map(letter => ({ name: `${letter}:`, path: `${letter}:\\` }));
  const roots =
    process.platform === 'darwin' ? ['/Volumes'] : [`/media/${userName()}`, `/run/media/${userName()}`, '/mnt'];
  const below = await Promise.all(
    roots.map(async root => (await readdir(root).catch(() => [])).map(name => ({ name, path: join(root, name) }))),
  );
  return below.flat();
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return ''; // a user without a name, as in some containers
  }
}
