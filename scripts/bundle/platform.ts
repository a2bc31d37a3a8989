import { platforms } from '../platforms.js';

export type Platform = (typeof platforms)[number] & {
  readonly name: 'linux-x64' | 'linux-arm64' | 'win32-x64' | 'darwin-arm64' | 'darwin-x64';
};

/** @throws an Error that lists the names */
export function platformNamed(name: string | undefined): Platform {
  const found = platforms.find(platform => platform.name === name);
  if (found) return found as Platform;
  const known = platforms.map(platform => platform.name).join(', ');
  throw new Error(`expected --platform to be one of ${known}, got ${name === undefined ? 'none' : `"${name}"`}`);
}
