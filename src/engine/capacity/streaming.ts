/** Left for what is read ahead and not yet let go, for the cache, computing, and the rest of the machine. */
const besideStream = 5e9;

/**
 * Mapped weights of `sizeBytes` beside `taken` bytes of context and processes: undefined where all of it fits into what is available, so that
 * they come from the disk once; else how many of their bytes stay in memory while every step walks through the file.
 */
export function streaming(
  sizeBytes: number,
  taken: number,
  available: number,
): { readonly stayBytes: number } | undefined {
  if (sizeBytes + taken <= available) return undefined;
  return { stayBytes: Math.max(0, available - besideStream) };
}
