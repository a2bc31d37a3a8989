import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Rows of published benchmarks; see the README there. */
export const fixtures = fileURLToPath(new URL('../../fixtures/evaluate', import.meta.url));

/** A new folder with these files; objects are written as JSON Lines, strings as they are. */
export function folderWith(files: Record<string, string | readonly object[]>): string {
  const folder = mkdtempSync(join(tmpdir(), 'meditron-tasks-'));
  for (const [name, content] of Object.entries(files)) {
    const path = join(folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(
      path,
      typeof content === 'string' ? content : content.map(row => `${JSON.stringify(row)}\n`).join(''),
    );
  }
  return folder;
}
