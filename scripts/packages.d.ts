export const pinned: Readonly<Record<string, { readonly version: string; readonly integrity: string }>>;
export function folderOf(name: string, root?: string): string;
export function obtain(name: string, note?: (text: string) => void): string;
