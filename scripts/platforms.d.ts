/** A system that Meditron is built for, by npm's names. See platforms.js. */
export interface Platform {
  readonly name: string;
  readonly os: 'linux' | 'win32' | 'darwin';
  readonly cpu: 'x64' | 'arm64';
  readonly libc?: 'glibc';
  readonly libraries: string;
  readonly node: string;
}
export const platforms: readonly Platform[];
export const thisPlatform: Platform | undefined;
export function installedLibraries(
  root: string,
  libraries: string,
): { readonly name: string; readonly directory: string; readonly release: string } | undefined;
