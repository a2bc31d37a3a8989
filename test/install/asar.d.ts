/** What of `@electron/asar` is used. */
export function createPackageWithOptions(
  source: string,
  archive: string,
  options: { unpackDir: string },
): Promise<void>;
