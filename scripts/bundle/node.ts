import { spawnSync } from 'node:child_process';
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Platform } from '../platforms.js';

/**
 * The binary of Node to take along. That for Linux is not signed, and a seventh of it are names for debuggers, which are left out where
 * there is a tool for it; those for Windows and macOS stay as they are, because their signatures cover every byte.
 */
export function nodeBinary(platform: Platform, folder: string, work: string, note: (text: string) => void): string {
  const binary = join(folder, 'bin', platform.os === 'win32' ? 'node.exe' : 'node');
  if (platform.os !== 'linux') return binary;
  const smaller = join(work, 'node');
  const tools = [`${platform.cpu === 'x64' ? 'x86_64' : 'aarch64'}-linux-gnu-strip`, 'llvm-strip'];
  for (const tool of tools) {
    copyFileSync(binary, smaller);
    if (spawnSync(tool, ['--strip-all', smaller], { stdio: 'ignore' }).status === 0) return smaller;
  }
  note(`Node is taken along with its names for debuggers, 18 MB: none of ${tools.join(', ')} is installed (binutils).`);
  return binary;
}
