import { randomUUID } from 'node:crypto';
import { access, mkdir, readdir, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { MeditronError } from '../../check/errors.js';
import { leftoverName, outputError } from '../../check/outputs.js';

/** A lock that is held. */
export interface Lock {
  /** @throws MeditronError `ERR_BUSY` once another process has taken it, because this one stood still for too long */
  check(): Promise<void>;
  /** May be called more than once. */
  release(): Promise<void>;
}

/** A holder touches its lock every second. After three without a touch it counts as gone. */
const [touch, stillness] = [1000, 3000];

/**
 * Takes the lock folder `path`. Whether its holder lives is seen from the lock being touched: process ids are used by other
 * containers as well. A lock whose process was killed is taken over after some seconds. (The package proper-lockfile does
 * the same, but handles every signal: a run that was started with `nohup` would end when its terminal goes.)
 *
 * @throws MeditronError `ERR_BUSY` while another process holds it; `ERR_OUTPUT` if it cannot be made
 */
export async function acquire(path: string): Promise<Lock> {
  const stale = await watch(path);
  const mine = join(path, randomUUID());
  try {
    if (stale !== undefined) await putAway(path, stale);
    await mkdir(path, { mode: 0o700 });
    await writeFile(mine, '', { mode: 0o600, flag: 'wx' });
  } catch (error) {
    const { code } = error as { readonly code?: string };
    throw code === 'EEXIST' || code === 'ENOENT' ? busy(path) : outputError(path, error);
  }
  const check = () =>
    access(mine).catch(() => {
      throw busy(path);
    });
  // Others may have found the same stale lock, and put this one away for it.
  if (stale !== undefined) {
    await pause(touch);
    await check();
  }
  const timer = setInterval(() => utimes(mine, new Date(), new Date()).catch(() => {}), touch);
  timer.unref();
  let released: Promise<void> | undefined;
  const release = async () => {
    clearInterval(timer);
    const held = await check().then(
      () => true,
      () => false,
    );
    if (held) await rm(path, { recursive: true, force: true }).catch(() => {});
  };
  return {
    check,
    release() {
      released ??= release();
      return released;
    },
  };
}

/** Watches a lock that is there until it has gone (undefined) or has become stale (its traces). @throws MeditronError `ERR_BUSY` */
async function watch(path: string): Promise<string | undefined> {
  const first = await traces(path);
  if (first === undefined) return undefined;
  for (let waited = 0; waited <= stillness; waited += 100) {
    await pause(100);
    const now = await traces(path);
    if (now === undefined) return undefined;
    if (now !== first) throw busy(path);
  }
  return first;
}

/** Removes a stale lock. Should it turn out to be another's, taken meanwhile, it is put back. */
async function putAway(path: string, stale: string): Promise<void> {
  const aside = join(dirname(path), leftoverName(basename(path)));
  await rename(path, aside);
  if ((await traces(aside)) === stale) return rm(aside, { recursive: true, force: true });
  await rename(aside, path).catch(() => {});
  throw busy(path);
}

/** What a touch changes; undefined if there is no lock. */
async function traces(path: string): Promise<string | undefined> {
  const { mtimeMs } = (await stat(path).catch(() => undefined)) ?? {};
  if (mtimeMs === undefined) return undefined;
  const names = await readdir(path).catch((): string[] => []);
  const times = await Promise.all(names.map(name => stat(join(path, name)).catch(() => undefined)));
  return [mtimeMs, ...names, ...times.map(info => info?.mtimeMs)].join();
}

function busy(path: string): MeditronError {
  const message = `${path}: another process writes this folder; wait for it, or choose another folder`;
  return new MeditronError('ERR_BUSY', message);
}
