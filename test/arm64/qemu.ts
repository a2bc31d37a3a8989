import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const sysroot = '/usr/aarch64-linux-gnu';

/** Why nothing of arm64 can be run here, or undefined. */
export const lacking: string | undefined =
  spawnSync('qemu-aarch64', ['--version']).status !== 0
    ? 'qemu-aarch64 is missing (Debian: apt-get install qemu-user)'
    : existsSync(join(sysroot, 'lib'))
      ? undefined
      : `the libraries of arm64 are missing in ${sysroot} (Debian: apt-get install g++-aarch64-linux-gnu)`;

/**
 * Writes a program that runs a Node for arm64, and returns its path. The system starts no program of arm64 by itself, so this one stands for
 * `process.execPath` too: what Node starts, it starts by it. The processor has no SVE, whose emulation takes ten times as long.
 */
export function nodeOfArm64(binary: string, folder: string): string {
  const program = join(folder, 'node-arm64');
  const preload = join(folder, 'exec-path.cjs');
  writeFileSync(preload, `process.execPath = ${JSON.stringify(program)};\n`);
  writeFileSync(
    program,
    `#!/bin/sh\nexec qemu-aarch64 -cpu neoverse-n1 -L ${sysroot} '${binary}' --require '${preload}' "$@"\n`,
  );
  chmodSync(program, 0o755);
  return program;
}
