import { win32 } from 'node:path';

/** Names that lead to a device in every folder, with any ending. */
const device = /^(con|prn|aux|nul|com[1-9¹²³]|lpt[1-9¹²³]|conin\$|conout\$) *(\.|$)/i;

/**
 * Why Windows would write something else than a file of this name, or nothing; undefined where it would not, and on other systems. It takes
 * dots and spaces off the end of a name, writes what stands behind a colon beside the file where nobody sees it, and reserves some names.
 */
export function whyNoName(path: string, platform: NodeJS.Platform = process.platform): string | undefined {
  if (platform !== 'win32') return undefined;
  const { root } = win32.parse(path);
  if (/^[\\/]{2}[.?][\\/]/.test(path)) return undefined; // a path that Windows takes as it is
  for (const name of path.slice(root.length).split(/[\\/]/)) {
    if (name === '' || name === '.' || name === '..') continue;
    if (device.test(name)) return `Windows reserves the name ${name}`;
    if (/[. ]$/.test(name)) return `Windows allows no dot or space at the end of a name, as in "${name}"`;
    const sign = /[<>:"|?*]/.exec(name)?.[0];
    if (sign !== undefined) return `Windows allows no ${sign} in a name`;
  }
  return undefined;
}
