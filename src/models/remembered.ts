import { type FileHandle, statfs } from 'node:fs/promises';
import * as v from 'valibot';
import { keep, kept, sha256Text, stateFile } from '../check/kept.js';
import type { FileIdentity } from '../gguf/reader.js';

/** For every file that was hashed its identity in text, the newest first. Names of files are not in it. */
const memory = v.strictObject({
  version: v.literal(1),
  hashes: v.array(v.strictObject({ identity: v.pipe(v.string(), v.maxLength(200)), sha256: sha256Text })),
  sha256: sha256Text,
});

/** Parts of a few split models. */
const most = 64;

/**
 * File systems of Linux that stamp every change with a time that no program sets (`ctime`) and give a file one number (`ino`) for as
 * long as it lives: btrfs, ext2 to ext4, f2fs, overlay, XFS, ZFS. Not FAT and exFAT, networks and FUSE, nor tmpfs, where
 * what is written through a mapping leaves no time.
 */
const stamping: ReadonlySet<number> = new Set([0x9123683e, 0xef53, 0xf2f52010, 0x794c7630, 0x58465342, 0x2fc12fc1]);

/** Two changes that come closer together than a clock ticks have one time between them. */
const restMs = 2000;

function memoryFile(): string | undefined {
  return stateFile('hashes.json');
}

/** The SHA-256 of the file that has this identity, if it is remembered. */
export function recallHash(identity: string): string | undefined {
  return kept(memoryFile(), memory)?.hashes.find(entry => entry.identity === identity)?.sha256;
}

/**
 * Whether an identity, taken now, will tell every later change of this file. Call it before the file is read. What a mapping has written
 * is brought to the disk for that: the next such write is stamped again.
 */
export async function tellsChanges(
  handle: FileHandle,
  path: string,
  { mtimeNs, ctimeNs }: FileIdentity,
  now = Date.now(),
): Promise<boolean> {
  if (process.platform !== 'linux' || memoryFile() === undefined) return false;
  const rests = (ns: bigint): boolean => Number(ns / 1_000_000n) < now - restMs;
  if (!rests(mtimeNs) || !rests(ctimeNs)) return false;
  try {
    if (!stamping.has((await statfs(path)).type)) return false;
    await handle.datasync();
    return true;
  } catch {
    return false;
  }
}

/** Keeps the hash of a file of which {@link tellsChanges} was said before it was read. */
export async function rememberHash(identity: string, sha256: string): Promise<void> {
  const file = memoryFile();
  const others = (kept(file, memory)?.hashes ?? []).filter(entry => entry.identity !== identity);
  await keep(file, { version: 1, hashes: [{ identity, sha256 }, ...others].slice(0, most) });
}
