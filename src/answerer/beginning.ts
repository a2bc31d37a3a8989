/** How many tokens all lists begin with, one of its own left to each. */
export function commonTokens(lists: readonly Int32Array[]): number {
  const [first, ...others] = lists;
  if (!first) return 0;
  const most = Math.min(...lists.map(list => list.length)) - 1;
  return others.reduce((count, list) => Math.min(count, commonLength(first, list)), most);
}

/** Below this a common beginning is not worth starting from. */
export const leastCached = 16;

/** How many tokens of a prompt have been evaluated already, one of its own left to it; 0 where it is not worth starting from them. */
export function cachedTokens(prompt: Int32Array, evaluated: Int32Array): number {
  const count = Math.min(commonLength(prompt, evaluated), prompt.length - 1);
  return count < leastCached ? 0 : count;
}

/** How many tokens two lists begin with. */
export function commonLength(a: Int32Array, b: Int32Array): number {
  const most = Math.min(a.length, b.length);
  let count = 0;
  while (count < most && a[count] === b[count]) count++;
  return count;
}
