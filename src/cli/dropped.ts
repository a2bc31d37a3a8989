import { statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/**
 * The file that a line names, as terminals write one that is dragged into them: as it is, in quotes, with backslashes before spaces, or
 * as a file URL. Undefined if there is no such file.
 */
export function droppedFile(line: string, isFile = isFileHere): string | undefined {
  const typed = line.trim();
  if (typed === '') return undefined;
  const quoted = /^"(.*)"$/s.exec(typed)?.[1] ?? /^'(.*)'$/s.exec(typed)?.[1]?.replaceAll("'\\''", "'");
  // PowerShell puts an ampersand before what it quotes.
  const called = /^& ['"](.*)['"]$/s.exec(typed)?.[1];
  return [typed, quoted, called, typed.replace(/\\(.)/gs, '$1'), fromUrl(typed)].find(
    path => path !== undefined && path !== '' && isFile(path),
  );
}

function fromUrl(text: string): string | undefined {
  try {
    return text.startsWith('file:') ? fileURLToPath(text) : undefined;
  } catch {
    return undefined;
  }
}

function isFileHere(path: string): boolean {
  try {
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
