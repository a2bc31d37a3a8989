/** Below this a shared beginning is not worth a sequence of its own. */
export const leastShared = 16;

/** How many tokens all lists begin with. */
export function commonLength(lists: readonly Int32Array[]): number {
  const [first, ...others] = lists;
  if (!first) return 0;
  let count = first.length;
  for (const list of others) {
    let same = 0;
    while (same < count && same < list.length && list[same] === first[same]) same++;
    count = same;
  }
  return count;
}
