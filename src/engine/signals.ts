const calls = new WeakMap<AbortSignal, { readonly fns: Set<() => void>; readonly listener: () => void }>();

/**
 * Has `fn` called when the signal aborts; call the result to take it back. One listener a signal, however many jobs it has: Node
 * warns of more than ten.
 */
export function whenAborted(signal: AbortSignal, fn: () => void): () => void {
  let entry = calls.get(signal);
  if (!entry) {
    const fns = new Set<() => void>();
    const listener = () => {
      for (const each of [...fns]) each();
    };
    entry = { fns, listener };
    calls.set(signal, entry);
    signal.addEventListener('abort', listener, { once: true });
  }
  const { fns, listener } = entry;
  fns.add(fn);
  return () => {
    fns.delete(fn);
    if (fns.size > 0 || calls.get(signal) !== entry) return;
    calls.delete(signal);
    signal.removeEventListener('abort', listener);
  };
}
