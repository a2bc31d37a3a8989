import { type SpawnOptions, spawn } from 'node:child_process';
import { setTimeout as pause } from 'node:timers/promises';
import { leftBehind } from './session.js';

/** How a process ended, and what it left. */
export interface End {
  /** `with code 0`, `by SIGTERM`, or `hangs`. */
  readonly how: string;
  readonly stdout: string;
  readonly stderr: string;
  /** Processes it started that did not end after it. */
  readonly left: readonly string[];
  readonly milliseconds: number;
}

/** Runs a program in a session of its own until it ends, or for so long that it hangs. */
export async function runApart(
  command: string,
  args: readonly string[],
  { limitMs = 60_000, ...options }: SpawnOptions & { limitMs?: number } = {},
): Promise<End> {
  const begun = performance.now();
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options, detached: true });
  const output = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream]?.on('data', chunk => {
      output[stream] += chunk;
    });
  }
  let hangs = false;
  const limit = setTimeout(() => {
    hangs = true;
    child.kill('SIGKILL');
  }, limitMs);
  const how = await new Promise<string>((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code, signal) => resolve(signal ? `by ${signal}` : `with code ${code}`));
  });
  clearTimeout(limit);
  const milliseconds = performance.now() - begun;
  const left = await leftBehind(child.pid!);
  await Promise.race([closed(child.stdout), pause(1000)]);
  return { how: hangs ? 'hangs' : how, ...output, left, milliseconds };
}

/** What a process wrote may still be in the pipe when it has ended. */
async function closed(stream: NodeJS.ReadableStream | null): Promise<void> {
  if (stream && !(stream as { closed?: boolean }).closed) await new Promise(resolve => stream.once('close', resolve));
}
