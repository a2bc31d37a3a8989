import { MeditronError } from '../check/errors.js';

/** What to do about a file whose bytes are wrong. */
const fetchAgain = 'download or copy the file again and compare its SHA-256 with the publisher’s';

/** A file that is not a usable GGUF: `path: expected …, got …; what to do`. */
export function damaged(path: string, expected: string, got: string, advice = fetchAgain): MeditronError {
  return new MeditronError('ERR_MODEL_FORMAT', `${path}: expected ${expected}, got ${got}; ${advice}`);
}

/** A file that cannot be opened or read; the system's error becomes the cause. */
export function unreadable(path: string, cause: unknown): MeditronError {
  const code = (cause as NodeJS.ErrnoException | undefined)?.code;
  return new MeditronError('ERR_MODEL_FILE', `${path}: expected a readable file, got ${reason(code, cause)}`, {
    cause,
  });
}

/** A whole number with thousands separated, as people read file sizes. */
export function digits(value: number | bigint): string {
  return value.toLocaleString('en-US');
}

function reason(code: string | undefined, cause: unknown): string {
  if (code === 'ENOENT') return 'no such file; check the path';
  if (code === 'ENOTDIR') return 'a path that leads through a file; check the path';
  if (code === 'EACCES' || code === 'EPERM') return 'permission denied; make the file readable for this user';
  if (code === 'EISDIR') return 'a directory; name the .gguf file inside it';
  if (code === 'EIO') return 'a read error from the disk; check the drive';
  return `${code ?? (cause instanceof Error ? cause.message : String(cause))}; check the path and the drive`;
}
