import { randomUUID } from 'node:crypto';
import { access, mkdir, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { MeditronError } from '../../check/errors.js';

/** A lock that is held. */
export interface Lock {
  /** @throws MeditronError `ERR_BUSY` once another process has taken it, because this one stood still for too long */
  check(): Promise<void>;
  /** May be called more than once. */
  release(): Promise<void>;
}

/** A holder touches its lock every second. After three without a touch it counts as gone. */
const [touch, stale] = [1000, 3000];

/**
 * Takes the lock folder `path`. Whether its holder lives is seen from the lock being touched: process ids are used by other
 * containers as well. A lock whose process was killed is taken over after some seconds. (The package proper-lockfile does
 * the same, but handles every signal: a run that was started with `nohup` would end when its terminal goes.)
 *
 * @throws MeditronError `ERR_BUSY` while another process holds it; `ERR_OUTPUT` if it cannot be made
 */
export async function acquire(path: string): Promise<Lock> {
  const before = await watch(path);
  if (before === 'touched') throw busy(path);
  const mine = join(path, randomUUID());
  try {
    if (before === 'stale') await rm(path, { recursive: true, force: true });
    await mkdir(path);
    await writeFile(mine, '');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST' || code === 'ENOENT') throw busy(path);
    throw new MeditronError('ERR_OUTPUT', `Cannot write ${path}: ${message}`, { cause: error });
  }
  const check = () =>
    access(mine).catch(() => {
      throw busy(path);
    });
  // Others may have found the same stale lock, and removed this one for it.
  if (before === 'stale') {
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

/** Watches a lock that is there until it is touched, has gone, or has become stale. */
async function watch(path: string): Promise<'free' | 'touched' | 'stale'> {
  const first = await traces(path);
  if (first === undefined) return 'free';
  for (let waited = 0; waited <= stale; waited += 100) {
    await pause(100);
    const now = await traces(path);
    if (now === undefined) return 'free';
    if (now !== first) return 'touched';
  }
  return 'stale';
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
