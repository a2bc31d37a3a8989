/** Reads a file; undefined if it is not there. */
export type Read = (path: string) => string | undefined;

/** What a control group allows of memory. */
export interface MemoryLimit {
  /** Bytes that its processes may use together. */
  readonly limit: number;
  /** Bytes it has left: what the kernel can drop of its page cache counts as free. */
  readonly available: number;
  /** Its folder. */
  readonly group: string;
}

/** The tightest memory limit of the control groups this process is in, its own and all above; undefined without one. */
export function memoryLimit(read: Read): MemoryLimit | undefined {
  let tightest: MemoryLimit | undefined;
  for (const { folder, version } of groupsOf(read, 'memory')) {
    const found = version === 2 ? memoryOfV2(read, folder) : memoryOfV1(read, folder);
    if (found && (!tightest || found.available < tightest.available)) tightest = found;
  }
  return tightest;
}

/** Cores that the control groups of this process allow, as a fraction may be; Infinity without a quota. */
export function cpuQuota(read: Read): number {
  let least = Infinity;
  for (const { folder, version } of groupsOf(read, 'cpu')) {
    const [quota, period] =
      version === 2
        ? (read(`${folder}/cpu.max`)?.trim().split(/\s+/) ?? [])
        : [read(`${folder}/cpu.cfs_quota_us`), read(`${folder}/cpu.cfs_period_us`)];
    const cores = Number(quota) / Number(period ?? 100_000); // "max" is no number
    if (cores > 0) least = Math.min(least, cores);
  }
  return least;
}

function memoryOfV2(read: Read, folder: string): MemoryLimit | undefined {
  const limit = Math.min(number(read(`${folder}/memory.max`)), number(read(`${folder}/memory.high`)));
  const used = number(read(`${folder}/memory.current`));
  return limitOf(limit, used, cacheOf(read, folder, ''), folder);
}

function memoryOfV1(read: Read, folder: string): MemoryLimit | undefined {
  const limit = number(read(`${folder}/memory.limit_in_bytes`));
  const used = number(read(`${folder}/memory.usage_in_bytes`));
  return limitOf(limit, used, cacheOf(read, folder, 'total_'), folder);
}

function limitOf(limit: number, used: number, cache: number, group: string): MemoryLimit | undefined {
  // Without a limit version 1 says 2^63 less a page.
  if (limit >= 2 ** 62 || used === Infinity) return undefined;
  return { limit, available: Math.max(0, limit - Math.max(0, used - cache)), group };
}

/** Pages of files, mapped weights among them: the kernel drops them when it needs room. */
function cacheOf(read: Read, folder: string, prefix: string): number {
  return statOf(read, folder, `${prefix}inactive_file`) + statOf(read, folder, `${prefix}active_file`);
}

function statOf(read: Read, folder: string, name: string): number {
  return Number(new RegExp(`^${name} (\\d+)`, 'm').exec(read(`${folder}/memory.stat`) ?? '')?.[1] ?? 0);
}

/** Infinity for what is not there or says `max`. */
function number(text: string | undefined): number {
  return text !== undefined && /^\d+$/.test(text.trim()) ? Number(text) : Infinity;
}

interface Group {
  readonly folder: string;
  readonly version: 1 | 2;
}

/** The folders of the groups of this process, from its own up to the highest that can be seen. */
function groupsOf(read: Read, controller: 'memory' | 'cpu'): Group[] {
  const mounts = mountsOf(read('/proc/self/mountinfo') ?? '');
  const groups: Group[] = [];
  for (const line of (read('/proc/self/cgroup') ?? '').split('\n')) {
    const match = /^\d+:([^:]*):(.*)$/.exec(line);
    if (!match) continue;
    const [, controllers, path] = match as unknown as [string, string, string];
    const version = controllers === '' ? 2 : 1;
    if (version === 1 && !controllers.split(',').includes(controller)) continue;
    const mount = mounts.find(each => (version === 2 ? each.version === 2 : each.controllers.includes(controller)));
    if (mount) for (const folder of upwards(mount, path)) groups.push({ folder, version });
  }
  return groups;
}

interface Mount {
  readonly version: 1 | 2;
  readonly controllers: readonly string[];
  /** The group that the mount point shows. */
  readonly root: string;
  readonly point: string;
}

/** The control group mounts among the lines of `/proc/self/mountinfo` (proc_pid_mountinfo(5)). */
function mountsOf(text: string): Mount[] {
  const mounts: Mount[] = [];
  for (const line of text.split('\n')) {
    const [before, after] = line.split(' - ');
    const [, , , root, point] = before!.split(' ');
    const [type, , options] = after?.split(' ') ?? [];
    if (type !== 'cgroup' && type !== 'cgroup2') continue;
    mounts.push({
      version: type === 'cgroup2' ? 2 : 1,
      controllers: type === 'cgroup' ? options!.split(',') : [],
      root: unescaped(root!),
      point: unescaped(point!),
    });
  }
  return mounts;
}

/** Folders from a group up to its mount point. A container may see less than the path says. */
function* upwards({ root, point }: Mount, path: string): Generator<string> {
  const inside = root === '/' ? path : path === root || path.startsWith(`${root}/`) ? path.slice(root.length) : '/';
  const names = inside.split('/').filter(name => name !== '' && name !== '..');
  for (let count = names.length; count >= 0; count--) yield [point, ...names.slice(0, count)].join('/');
}

function unescaped(text: string): string {
  return text.replace(/\\(\d{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}
