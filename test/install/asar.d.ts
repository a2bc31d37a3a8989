/** What of `@electron/asar` is used. */
export interface Entry {
  readonly files?: Readonly<Record<string, Entry>>;
  readonly unpacked?: boolean;
}
export function getRawHeader(archive: string): { readonly header: Entry };
export function extractAll(archive: string, folder: string): void;
