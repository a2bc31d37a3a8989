import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { link, readFile, rename, stat, unlink, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { MeditronError } from '../../check/errors.js';

/** A held lock; `release` may be called more than once. */
export interface Lock {
  release(): Promise<void>;
}

interface Holder {
  readonly pid: number;
  readonly host: string;
  /** When the process started, where the system tells: process ids are used again. */
  readonly started: string | undefined;
  readonly token: string;
}

/**
 * Takes the lock file `path` for this process. A lock whose process is gone is taken over; one that is held is an
 * `ERR_BUSY` that names the holder. The file appears with its content or not at all, and is moved away before it is taken
 * over, so that of several processes that find a dead lock one gets it.
 */
export async function acquire(path: string): Promise<Lock> {
  const mine: Holder = { pid: process.pid, host: hostname(), started: startOf(process.pid), token: randomUUID() };
  for (let attempt = 0; attempt < 5; attempt++) {
    if (await create(path, mine)) return { release: () => release(path, mine.token) };
    const holder = await holderOf(path);
    if (holder === 'gone') continue;
    if (holder !== 'unreadable' && isAlive(holder)) throw busy(path, holder);
    if (!(await moveAway(path, holder))) throw busy(path, await holderOf(path));
  }
  throw busy(path, await holderOf(path));
}

async function create(path: string, mine: Holder): Promise<boolean> {
  const draft = `${path}.${mine.token}`;
  try {
    await writeFile(draft, JSON.stringify(mine), { flag: 'wx' });
    await link(draft, path);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') return false;
    if (code === 'EPERM' || code === 'ENOTSUP' || code === 'EOPNOTSUPP' || code === 'ENOSYS')
      return createPlain(path, mine);
    throw new MeditronError('ERR_OUTPUT', `Cannot write ${path}: ${(error as Error).message}`, { cause: error });
  } finally {
    await unlink(draft).catch(() => {});
  }
}

/** For file systems without hard links. */
async function createPlain(path: string, mine: Holder): Promise<boolean> {
  try {
    await writeFile(path, JSON.stringify(mine), { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw new MeditronError('ERR_OUTPUT', `Cannot write ${path}: ${(error as Error).message}`, { cause: error });
  }
}

async function holderOf(path: string): Promise<Holder | 'gone' | 'unreadable'> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch {
    return 'gone';
  }
  try {
    const value = JSON.parse(text) as Holder;
    if (Number.isInteger(value.pid) && typeof value.host === 'string' && typeof value.token === 'string') return value;
  } catch {
    // A process without hard links died, or is, between creating and writing the file.
  }
  const age = Date.now() - (await stat(path).catch(() => ({ mtimeMs: 0 }))).mtimeMs;
  return age > 5000 ? 'unreadable' : { pid: 0, host: hostname(), started: undefined, token: '' };
}

function isAlive(holder: Holder): boolean {
  if (holder.host !== hostname()) return true; // a shared folder: nobody here can know
  if (holder.pid === 0) return true;
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
  return holder.started === undefined || holder.started === startOf(holder.pid);
}

/** Field 22 of /proc/pid/stat; undefined elsewhere and for a process that has ended but is not yet collected. */
function startOf(pid: number): string | undefined {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)!.split(' ');
    return fields[0] === 'Z' ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

/** False if the lock that was moved is not the dead one but a living process's new one: it is put back. */
async function moveAway(path: string, dead: Holder | 'unreadable'): Promise<boolean> {
  const aside = `${path}.${randomUUID()}`;
  try {
    await rename(path, aside);
  } catch {
    return true; // someone else was faster; try to create
  }
  const moved = await holderOf(aside);
  const same = dead === 'unreadable' ? moved === 'unreadable' : typeof moved === 'object' && moved.token === dead.token;
  if (!same) await link(aside, path).catch(() => {});
  await unlink(aside).catch(() => {});
  return same;
}

async function release(path: string, token: string): Promise<void> {
  const holder = await holderOf(path);
  if (typeof holder === 'object' && holder.token === token) await unlink(path).catch(() => {});
}

function busy(path: string, holder: Holder | 'gone' | 'unreadable'): MeditronError {
  const who =
    typeof holder === 'object' && holder.pid > 0 ? `process ${holder.pid} on ${holder.host}` : 'another process';
  const message = `${path}: this folder is being written by ${who}; wait for it, or choose another folder`;
  const shared =
    typeof holder === 'object' && holder.host !== hostname() ? ' (if that process is gone, delete the file)' : '';
  return new MeditronError('ERR_BUSY', message + shared);
}
