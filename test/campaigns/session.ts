import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';

/** A process left behind may take so long to notice that it is alone, which it looks for every half second, and to be given the processor. */
const graceMs = 30_000;

/**
 * The processes of a session (of a child spawned with `detached`, by its process id) that do not end after it, killed after half a minute. A zombie is none: it waits for its new parent to read how it ended.
 */
export async function leftBehind(session: number, except: readonly number[] = []): Promise<string[]> {
  const until = performance.now() + graceMs;
  for (;;) {
    const left = members(session).filter(({ pid }) => !except.includes(pid));
    if (left.length === 0) return [];
    if (performance.now() > until) {
      for (const { pid } of left) kill(pid);
      return left.map(({ pid, command }) => `${pid} ${command}`);
    }
    await pause(20);
  }
}

interface Member {
  readonly pid: number;
  readonly command: string;
}

/** Linux only; elsewhere nobody is found. */
export function members(session: number): Member[] {
  if (process.platform !== 'linux') return [];
  return readdirSync('/proc').flatMap(name => {
    const pid = Number(name);
    if (!Number.isInteger(pid)) return [];
    try {
      // pid (command) state ppid pgrp session …; the command may hold anything.
      const [, command, rest] = /^\d+ \((.*)\) (.*)$/s.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))!;
      const [state, , , its] = rest!.split(' ');
      return Number(its) === session && state !== 'Z' && state !== 'X' ? [{ pid, command: command! }] : [];
    } catch {
      return []; // it ended while we looked
    }
  });
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // it ended meanwhile
  }
}
