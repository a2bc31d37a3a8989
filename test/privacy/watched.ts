import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

export const root = resolve(import.meta.dirname, '..', '..');
export const stories = join(root, 'models', 'stories260K.gguf');

const succeeds = (command: string, args: readonly string[]) =>
  spawnSync(command, args, { stdio: 'ignore', timeout: 10_000 }).status === 0;

/** `strace` shows the system calls of a process and of all it starts. Debian: `apt-get install strace`; not in every container. */
export const hasStrace = process.platform === 'linux' && succeeds('strace', ['-f', '-qq', '-o', '/dev/null', 'true']);

/** A namespace without any network but a loopback device that is down. */
export const withoutNetwork =
  [
    ['unshare', '-n', '--'],
    ['unshare', '-rn', '--'],
  ].find(([command, ...args]) => process.platform === 'linux' && succeeds(command!, [...args, 'true'])) ?? [];

/** What the kernel saw of a process and of all it started. */
export interface Seen {
  /** Calls that make, connect, bind or write to a socket of another kind than AF_UNIX, as strace prints them. */
  readonly network: readonly string[];
  /** Files that were opened for writing, or made, moved or linked. */
  readonly written: readonly string[];
  /** Arguments and environments of all programs that were started. */
  readonly started: readonly string[];
}

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: Buffer;
  readonly stderr: Buffer;
  /** Undefined where there is no strace. */
  readonly seen: Seen | undefined;
  /** `specifier from importer` of every import, and the names of Node's own modules that were loaded in the end. */
  readonly modules: readonly string[];
}

export interface Running {
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Whether a process that crashes may leave its memory in a file, as far as the system lets it. */
  readonly coreDumps?: boolean;
}

/** Modules that reach a network, or that open a door to one. */
const networkModules = [
  'http',
  'https',
  'http2',
  'tls',
  'dns',
  'dns/promises',
  'net',
  'dgram',
  'cluster',
  'inspector',
  'inspector/promises',
];
const imported = new RegExp(`^(?:(?:node:)?(?:${networkModules.join('|')})|undici(?:/.*)?) from `);

/**
 * Node's `child_process` and `tty` load `net` and `dgram` of their own accord. What they do not load must not be there in the end,
 * whoever asked for it: `fetch` loads a part of Node itself.
 */
const inside =
  /^NativeModule (?:_?https?(?:_\w+)?|http2|_?tls(?:_\w+)?|dns|dns\/promises|cluster|inspector|inspector\/promises|internal\/deps\/undici\/undici|internal\/http2\/.*) in the end$/;

/** Whatever of a process had to do with a network: modules, and calls of the kernel. */
export function networkOf({ modules, seen }: Pick<Ended, 'modules' | 'seen'>): string[] {
  return [...modules.filter(line => imported.test(line) || inside.test(line)), ...(seen?.network ?? [])];
}

/** A home, folders for temporary files, caches and states, and a working directory, all empty and nobody else's. */
export class Sandbox {
  readonly folder = mkdtempSync(join(tmpdir(), 'meditron-privacy-'));
  readonly cwd = join(this.folder, 'cwd');
  readonly env: Readonly<Record<string, string>>;
  readonly #notes = mkdtempSync(join(tmpdir(), 'meditron-notes-'));

  constructor() {
    const made = (name: string) => {
      mkdirSync(join(this.folder, name), { recursive: true });
      return join(this.folder, name);
    };
    made('cwd');
    const home = made('home');
    const temporary = made('tmp');
    this.env = {
      PATH: process.env.PATH ?? '',
      LANG: 'C.UTF-8',
      ...(process.env.LD_LIBRARY_PATH !== undefined && { LD_LIBRARY_PATH: process.env.LD_LIBRARY_PATH }),
      HOME: home,
      USERPROFILE: home,
      TMPDIR: temporary,
      TMP: temporary,
      TEMP: temporary,
      XDG_CACHE_HOME: made('cache'),
      XDG_CONFIG_HOME: made('config'),
      XDG_DATA_HOME: made('data'),
      XDG_STATE_HOME: made('state'),
      XDG_RUNTIME_DIR: made('run'),
      MEDITRON_STATE: made('meditron'),
    };
  }

  /** Runs Node in the sandbox, without a network and watched as far as this machine allows. */
  async node(args: readonly string[], { input = '', env = {}, coreDumps = false }: Running = {}): Promise<Ended> {
    const [trace, modules] = ['trace', 'modules'].map(name => join(this.#notes, name)) as [string, string];
    for (const file of [trace, modules]) rmSync(file, { force: true });
    const watch = hasStrace
      ? [
          'strace',
          '-f',
          '-qq',
          '--seccomp-bpf',
          '-s',
          '100000',
          '-e',
          `trace=${traced}`,
          '-e',
          'abbrev=none',
          '-o',
          trace,
          '--',
        ]
      : [];
    const limit = ['sh', '-c', `ulimit -c ${coreDumps ? 'unlimited' : 0}; exec "$@"`, 'sh'];
    const [command, ...all] = [
      ...(process.platform === 'win32' ? [] : limit),
      ...withoutNetwork,
      ...watch,
      process.execPath,
      ...args,
    ];
    // In NODE_OPTIONS, so that the processes that a program starts are watched too.
    const preload = `--import=${pathToFileURL(join(import.meta.dirname, 'modules.js')).href}`;
    const child = spawn(command!, all, {
      cwd: this.cwd,
      env: {
        ...this.env,
        MEDITRON_TEST_MODULES: modules,
        ...env,
        NODE_OPTIONS: `${preload} ${env.NODE_OPTIONS ?? ''}`,
      },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    const [stdout, stderr]: [Buffer[], Buffer[]] = [[], []];
    child.stdout.on('data', chunk => stdout.push(chunk));
    child.stderr.on('data', chunk => stderr.push(chunk));
    child.stdin.on('error', () => {}); // it may end without reading
    child.stdin.end(input);
    const { code, signal } = await new Promise<Pick<Ended, 'code' | 'signal'>>((done, fail) => {
      child.on('error', fail);
      child.on('close', (code, signal) => done({ code, signal }));
    });
    return {
      code,
      signal,
      stdout: Buffer.concat(stdout),
      stderr: Buffer.concat(stderr),
      seen: hasStrace ? seenIn(readFileSync(trace, 'utf8'), this.#notes) : undefined,
      modules: existsSync(modules) ? readFileSync(modules, 'utf8').split('\n').filter(Boolean) : [],
    };
  }

  /** Runs the command as its users do. */
  meditron(args: readonly string[], running: Running = {}): Promise<Ended> {
    return this.node([join(root, 'bin', 'meditron.js'), ...args], running);
  }

  /** All files that are there now. */
  files(): readonly string[] {
    return readdirSync(this.folder, { recursive: true, encoding: 'utf8' })
      .map(name => join(this.folder, name))
      .filter(path => statSync(path, { throwIfNoEntry: false })?.isFile());
  }

  /** Removes what is there now. */
  clear(): void {
    for (const path of this.files()) rmSync(path);
  }

  remove(...others: readonly string[]): void {
    for (const folder of [this.folder, this.#notes, ...others]) rmSync(folder, { recursive: true, force: true });
  }
}

const traced = [
  'network',
  'execve',
  ...['openat', 'openat2', 'memfd_create', 'renameat', 'renameat2', 'linkat', 'symlinkat', 'mknodat'],
  ...['?open', '?creat', '?rename', '?link', '?symlink', '?mknod'],
].join(',');

/** Devices and what a process says to the kernel of itself; nothing of them is kept. */
const harmless = /^\/(dev\/(null|tty|pts\/\d+|urandom)|proc\/self\/)/;

function seenIn(trace: string, notes: string): Seen {
  const lines = whole(trace);
  const written = lines.flatMap(line => {
    const [, name, rest] = /^(\w+)\((.*)/s.exec(line) ?? [];
    if (name === undefined || !/^(open|creat|memfd|rename|link|symlink|mknod)/.test(name)) return [];
    if (name.startsWith('open') && !/O_(WRONLY|RDWR|CREAT|TMPFILE)/.test(line)) return [];
    if (/= -1 E/.test(line)) return [];
    const path = /"([^"]*)"/.exec(rest!)?.[1] ?? rest!;
    return harmless.test(path) || path.startsWith(notes) ? [] : [path];
  });
  return {
    network: lines.filter(line => /AF_(?!UNIX|UNSPEC|LOCAL)[A-Z]/.test(line)),
    written,
    started: lines.filter(line => line.startsWith('execve(')),
  };
}

/** The calls of a trace without the processes' numbers; one that was interrupted by another thread's is put together. */
function whole(trace: string): string[] {
  const begun = new Map<string, string>();
  return trace.split('\n').flatMap(line => {
    const [, pid, call] = /^(\d+)\s+(.*)$/.exec(line) ?? [];
    if (pid === undefined || call === undefined || /^[-+]{3}/.test(call)) return [];
    if (call.endsWith(' <unfinished ...>')) {
      begun.set(pid, call.slice(0, -' <unfinished ...>'.length));
      return [];
    }
    const rest = /^<\.\.\. \w+ resumed>(.*)$/.exec(call)?.[1];
    if (rest === undefined) return [call];
    const start = begun.get(pid) ?? '';
    begun.delete(pid);
    return [start + rest];
  });
}
