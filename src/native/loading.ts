import { readFileSync } from 'node:fs';

/** What the dynamic loader's message is explained with. */
export interface Host {
  readonly platform: string;
  readonly arch: string;
  /** The C library is musl, as on Alpine. */
  readonly musl: boolean;
}

/** Why the system's loader refused an addon, and what to do where reinstalling is no help. */
export interface Refusal {
  readonly reason: string;
  readonly instead?: string;
}

/** Reads the loader's message. What nobody knows is repeated. */
export function whyRefused(message: string, host: Host): Refusal {
  // The loader's own words, without the stack of modules that Node adds.
  const said = message.split('\nRequire stack:')[0]!.trim();
  const known = host.platform === 'win32' ? onWindows(said) : onUnix(said, host);
  return { ...known, reason: `${known?.reason ? `${known.reason}: ` : ''}${said}` };
}

function onWindows(said: string): Refusal | undefined {
  // The message names the file, in the language of the system.
  if (said.includes(';'))
    return {
      reason:
        'Windows takes a semicolon in its path for the end of the path, and does not find the libraries beside it',
      instead: 'Rename the folder so that it has no semicolon',
    };
  if (/specified module could not be found/i.test(said) || /\b(126|0x7e)\b/i.test(said))
    return { reason: 'a library that it needs was not found' };
  if (/not a valid Win32 application/i.test(said))
    return { reason: 'the file is damaged, or is for another processor' };
  if (/access is denied|virus|blocked/i.test(said))
    return { reason: 'a virus scanner or a policy of this computer refuses it' };
  return undefined;
}

function onUnix(said: string, { platform, musl }: Host): Refusal | undefined {
  const [, library, wanted] = /version [`'"](GLIBC|GLIBCXX|CXXABI)_([\d.]+)['"`] not found/.exec(said) ?? [];
  if (musl || /ld-linux.*: No such file|__\w+_chk: symbol not found/.test(said))
    return {
      reason: 'the C library of this system is musl (Alpine), and the package is for glibc',
      instead: fromSource,
    };
  if (library !== undefined) {
    const what =
      library === 'GLIBC'
        ? `C library (glibc ${wanted} is needed)`
        : `C++ library (libstdc++ with ${library}_${wanted} is needed)`;
    return {
      reason: `this system is too old for it: its ${what}`,
      instead: `Use Debian 12, Ubuntu 22.04, RHEL 9 or newer. ${fromSource}`,
    };
  }
  const absent = /^(?:Error: )?(\S+): cannot open shared object file/.exec(said)?.[1];
  if (absent !== undefined && /^lib(stdc\+\+|gcc_s|gomp|m|c|dl|pthread)\./.test(absent))
    return {
      reason: `this system has no ${absent}`,
      instead: `Install it (Debian, Ubuntu: \`apt-get install ${{ 'libgomp.so.1': 'libgomp1', 'libgcc_s.so.1': 'libgcc-s1' }[absent] ?? 'libstdc++6'}\`)`,
    };
  if (absent !== undefined) return { reason: `the library ${absent} that belongs beside it is missing` };
  if (/failed to map segment|Operation not permitted|cannot enable executable stack/.test(said))
    return {
      reason:
        'the folder is on a file system from which nothing may be run (mounted with `noexec`), or a policy of this computer refuses it',
      instead: 'Copy it to a folder from which programs may be run',
    };
  if (/undefined symbol|symbol not found|Symbol not found/.test(said))
    return { reason: 'it found libraries of another release than it was built with' };
  if (/file too short|invalid ELF header|not a mach-o file|truncated/i.test(said))
    return { reason: 'a file is damaged: the copy was interrupted' };
  if (/wrong ELF class|incompatible architecture|wrong architecture/i.test(said))
    return { reason: 'it is for another processor than this Node is' };
  if (platform === 'darwin' && /code signature|not valid for use|library load disallowed|quarantine/i.test(said))
    return {
      reason: 'macOS refuses it because of its signature, or because it was downloaded',
      instead: `Take the mark of a download away: \`xattr -dr com.apple.quarantine\` and the folder of the package`,
    };
  return undefined;
}

/** Where no package fits. */
export const fromSource =
  'Or build it from source on this system: `npm ci && npm run build -- --source` in a checkout of Meditron';

/** This process and its system. */
export function thisHost(): Host {
  const { platform, arch } = process;
  return { platform, arch, musl: isMusl() };
}

/** Whether this process has musl's loader in it. */
function isMusl(): boolean {
  if (process.platform !== 'linux') return false;
  try {
    return readFileSync('/proc/self/maps', 'utf8').includes('/ld-musl-');
  } catch {
    return false;
  }
}
