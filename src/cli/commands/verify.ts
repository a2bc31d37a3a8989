import { Command } from 'commander';
import { MeditronError } from '../../check/errors.js';
import { stickFolder } from '../../check/stick.js';
import { sumsName, type Verification, verifyFolder } from '../../check/sums.js';
import { inBytes } from '../../check/words.js';
import { interrupts } from '../terminal/interrupt.js';
import { print, printJson } from '../terminal/output.js';
import { oneLine } from '../terminal/plain.js';
import { progressBar } from '../terminal/progress.js';

interface VerifyFlags {
  readonly json?: boolean;
}

export function verify(): Command {
  return new Command('verify')
    .description(
      `Checks that a folder that was copied is whole and unchanged, by the sums in its ${sumsName}. Ends with code 3 if it is not.`,
    )
    .argument('[folder]', 'by default the folder on a stick that this is started from')
    .option('--json', 'print one JSON object')
    .addHelpText('after', help)
    .action(show);
}

const help = `
Files in models/ that are not listed have been added, and are named; what lies in state/ is passed over. \`sha256sum -c ${sumsName}\`
reads the same sums. A file that has just been copied may be read from memory: take the stick out and put it in again first.

Example:
  meditron verify E:\\Meditron`;

async function show(given: string | undefined, flags: VerifyFlags): Promise<void> {
  using interrupt = interrupts();
  const folder = given ?? stickFolder();
  if (folder === undefined)
    throw new MeditronError('ERR_OPTION', `Expected a folder that has a ${sumsName}: this is not started from one`);
  const progress = progressBar('Reading');
  let found: Verification;
  try {
    found = await verifyFolder(folder, {
      onProgress: (read, total) => progress.show(total === 0 ? 1 : read / total),
      signal: interrupt.signal,
    });
  } finally {
    progress.stop();
  }
  if (flags.json) printJson(found, 2);
  else print(verificationInWords(found));
  if (!found.ok) process.exitCode = 3;
}

/** Of a long list the first are shown. */
const shown = 20;

/** What was found, for a person. */
export function verificationInWords(found: Verification): string {
  const { folder, ok, files, bytes, added } = found;
  const faults: readonly [string, readonly string[]][] = [
    ['Missing', found.missing],
    ['Changed or cut short', found.changed],
    ['Cannot be read', found.unreadable],
    ['Does not belong here', found.extra],
    ['Leads out of the folder', found.outside],
  ];
  const verdict = ok
    ? `All ${files} files (${inBytes(bytes)}) are there and unchanged.`
    : 'This folder is not as it was made. Do not use it: copy all of it again.';
  const blocks = faults.map(([what, paths]) => listed(what, paths));
  const note = listed('Added, and not checked', added);
  return [oneLine(folder), verdict, ...blocks, note]
    .filter(line => line !== '')
    .join('\n')
    .concat('\n');
}

function listed(what: string, paths: readonly string[]): string {
  if (paths.length === 0) return '';
  const lines = paths.slice(0, shown).map(path => `  ${oneLine(path)}`);
  if (paths.length > shown) lines.push(`  and ${paths.length - shown} more`);
  return [`${what} (${paths.length}):`, ...lines].join('\n');
}
