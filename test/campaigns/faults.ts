import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { uniform } from '../../src/random/splitmix.js';
import { runApart } from './apart.js';
import { type Campaign, Tally } from './campaign.js';

interface Fault {
  /** A program in the folder of that name. */
  readonly name: string;
  readonly needs: 'nothing' | 'isolation' | 'linux and isolation';
  /** The shell words that the program is run behind. */
  readonly shell?: string;
}

const faults: readonly Fault[] = [
  { name: 'memory-from-the-start', needs: 'linux and isolation' },
  { name: 'memory-later', needs: 'linux and isolation' },
  { name: 'file-truncated', needs: 'isolation' },
  { name: 'file-rewritten', needs: 'nothing' },
  { name: 'file-deleted', needs: 'nothing' },
  { name: 'folders-missing', needs: 'nothing' },
  { name: 'too-many-files', needs: 'nothing', shell: 'ulimit -n 200; exec "$@"' },
  { name: 'no-permission', needs: 'nothing' },
  {
    name: 'full-disk',
    needs: 'nothing',
    // A file system of its own in a name space of its own, which is gone with the process.
    shell: `export MOUNTED='mount -t tmpfs -o size=64k none "$FAULT_FOLDER"'
      if unshare -rm sh -c "$MOUNTED" 2>/dev/null; then exec unshare -rm sh -c "$MOUNTED"' && exec "$@"' sh "$@"; else exec "$@"; fi`,
  },
  { name: 'output-closed', needs: 'nothing' },
];

/**
 * What an operating system may refuse or take away, in turn and each time at another moment: the app goes on, with errors that have a
 * code. `ends` says what the attempts of each came to.
 */
export const campaign: Campaign = async options => {
  const tally = new Tally(options);
  const ends: Record<string, Record<string, number>> = {};
  const possible = faults.filter(
    ({ needs }) =>
      (needs === 'nothing' || options.isolate !== false) &&
      (needs !== 'linux and isolation' || process.platform === 'linux'),
  );
  for (const index of tally.indices) {
    const fault = possible[index % possible.length]!;
    const random = uniform((Math.imul(options.seed, 0x9e37_79b1) + index) >>> 0);
    const share = random();
    const isolate = options.isolate ?? (fault.needs !== 'nothing' || random() < 0.5);
    const { how, left, stdout, stderr, milliseconds } = await run(fault, share, isolate);
    const words = `${fault.name}, isolated ${isolate}, ended ${how} ${stdout.trim()} ${stderr.trim().slice(-3000)}`;
    if (how === 'hangs') tally.fault('hangs', index, words);
    else if (how === 'with code 3') tally.fault('untyped', index, words);
    else if (how === 'with code 4') tally.fault('broken', index, words);
    else if (how !== 'with code 0') tally.fault('hostDeaths', index, words);
    if (left.length > 0)
      tally.fault('broken', index, `${fault.name}, isolated ${isolate}, left behind ${left.join(', ')}`);
    ends[fault.name] ??= {};
    const seen = ends[fault.name]!;
    for (const line of stdout.split('\n').filter(line => line !== '')) seen[line] = (seen[line] ?? 0) + 1;
    tally.done(milliseconds);
  }
  return tally.outcome({ ends });
};

async function run({ name, shell }: Fault, share: number, isolate: boolean): ReturnType<typeof runApart> {
  const beside = await mkdtemp(join(tmpdir(), 'meditron-faults-'));
  const folder = join(beside, 'folder');
  await mkdir(folder);
  const env = {
    ...process.env,
    NODE_OPTIONS: '',
    FAULT_FOLDER: folder,
    FAULT_BESIDE: beside,
    FAULT_SHARE: String(share),
    FAULT_ISOLATE: isolate ? '1' : '',
  };
  const program = [process.execPath, fileURLToPath(new URL(`faults/${name}.js`, import.meta.url))];
  try {
    if (shell === undefined) return await runApart(program[0]!, program.slice(1), { env, limitMs: 120_000 });
    return await runApart('sh', ['-c', shell, 'sh', ...program], { env, limitMs: 120_000 });
  } finally {
    await rm(beside, { recursive: true, force: true });
  }
}
