/** A browser's storage, which it may forbid: then nothing is found in it, and nothing kept. */
export function safely(storage: () => Storage): {
  readonly get: (name: string) => string | null;
  readonly set: (name: string, value: string | null) => void;
} {
  return {
    get(name) {
      try {
        return storage().getItem(name);
      } catch {
        return null;
      }
    },
    set(name, value) {
      try {
        if (value === null) storage().removeItem(name);
        else storage().setItem(name, value);
      } catch {}
    },
  };
}
