import { describe, expect, test } from 'vitest';
import { readCores } from '../../src/engine/capacity/cores.js';
import { countedAvailable, readMemory } from '../../src/engine/capacity/memory.js';

const GB = 1e9;
/** A machine of files, as they were recorded. */
const machine = (files: Record<string, string>) => (path: string) => files[path];
const v2 = '30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate';
const meminfo = { '/proc/meminfo': 'MemTotal:       32000000 kB\nMemAvailable:   16000000 kB\n' };
const group = (path: string, max: string, current: string, inactive: string) => ({
  [`${path}/memory.max`]: `${max}\n`,
  [`${path}/memory.current`]: `${current}\n`,
  [`${path}/memory.stat`]: `anon 1000\nfile 5000\ninactive_anon 3\ninactive_file ${inactive}\n`,
});

describe('memory', () => {
  test('without a control group it is what the kernel says can be had', () => {
    expect(readMemory(machine(meminfo))).toEqual({ bytes: 16_384_000_000, limitedBy: undefined });
  });

  test('what the page cache of a container can give up is free', () => {
    const read = machine({
      ...meminfo,
      '/proc/self/cgroup': '0::/\n',
      '/proc/self/mountinfo': v2,
      ...group('/sys/fs/cgroup', '8000000000', '7900000000', '6000000000'),
    });
    expect(readMemory(read)).toEqual({
      bytes: 6.1 * GB,
      limitedBy: 'of 8 GB that the control group /sys/fs/cgroup allows',
    });
  });

  test('the tightest of nested groups counts: a service in a slice', () => {
    const files = {
      ...meminfo,
      '/proc/self/cgroup': '0::/system.slice/clinic.slice/meditron.service\n',
      '/proc/self/mountinfo': v2,
      ...group('/sys/fs/cgroup/system.slice/clinic.slice/meditron.service', 'max', '1000000000', '0'),
      ...group('/sys/fs/cgroup/system.slice/clinic.slice', '4000000000', '3000000000', '500000000'),
      ...group('/sys/fs/cgroup/system.slice', '20000000000', '5000000000', '0'),
    };
    expect(readMemory(machine(files))).toEqual({
      bytes: 1.5 * GB,
      limitedBy: 'of 4 GB that the control group /sys/fs/cgroup/system.slice/clinic.slice allows',
    });
    const high = { ...files, '/sys/fs/cgroup/system.slice/clinic.slice/meditron.service/memory.high': '2000000000\n' };
    expect(readMemory(machine(high)).bytes).toBe(GB);
  });

  test('version 1, seen from inside a container and from outside of it', () => {
    const one = (root: string, path: string, folder: string) =>
      machine({
        ...meminfo,
        '/proc/self/cgroup': `12:cpu,cpuacct:${path}\n4:memory:${path}\n1:name=systemd:${path}\n`,
        '/proc/self/mountinfo': `35 31 0:32 ${root} /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory`,
        [`${folder}/memory.limit_in_bytes`]: '2000000000',
        [`${folder}/memory.usage_in_bytes`]: '1900000000',
        [`${folder}/memory.stat`]: 'cache 1\ninactive_file 7\ntotal_inactive_file 900000000\n',
      });
    const bytes = GB;
    expect(readMemory(one('/docker/abc', '/docker/abc', '/sys/fs/cgroup/memory')).bytes).toBe(bytes);
    expect(readMemory(one('/', '/docker/abc', '/sys/fs/cgroup/memory/docker/abc')).bytes).toBe(bytes);
  });

  test('a group without a limit does not limit', () => {
    const read = machine({
      ...meminfo,
      '/proc/self/cgroup': '4:memory:/\n0::/\n',
      '/proc/self/mountinfo': '35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory',
      '/sys/fs/cgroup/memory/memory.limit_in_bytes': '9223372036854771712',
      '/sys/fs/cgroup/memory/memory.usage_in_bytes': '1900000000',
    });
    expect(readMemory(read)).toEqual({ bytes: 16_384_000_000, limitedBy: undefined });
  });

  test('mapped weights are taken off where the system counts them as available: on Windows until they have been used', () => {
    const kept = 4 * GB;
    for (const used of [0, GB, kept, 9 * GB]) {
      expect(countedAvailable(kept, used, 'win32')).toBe(Math.max(0, kept - used));
      for (const platform of ['linux', 'darwin'] as const) expect(countedAvailable(kept, used, platform)).toBe(kept);
    }
  });

  test('files that say nothing sensible are as good as none', () => {
    const read = machine({
      ...meminfo,
      '/proc/self/cgroup': 'nonsense\n0::/../..\n',
      '/proc/self/mountinfo': `nonsense\n${v2}`,
      '/sys/fs/cgroup/memory.max': 'nonsense',
    });
    expect(readMemory(read).bytes).toBe(16_384_000_000);
  });
});

describe('cores', () => {
  const four = {
    '/proc/cpuinfo': Array.from({ length: 8 }, (_, i) => `processor : ${i}\nphysical id : 0\ncore id : ${i % 4}`).join(
      '\n\n',
    ),
  };

  test('hardware threads of one core count once', () => {
    expect(readCores(machine(four), 8)).toBe(4);
    expect(readCores(machine(four), 2)).toBe(2);
    expect(readCores(machine({}), 6)).toBe(6);
  });

  test.each([
    ['200000 100000', 2],
    ['150000 100000', 1],
    ['50000 100000', 1],
    ['max 100000', 4],
  ])('a quota of %s', (quota, cores) => {
    const read = machine({
      ...four,
      '/proc/self/cgroup': '0::/user.slice/app.scope\n',
      '/proc/self/mountinfo': v2,
      '/sys/fs/cgroup/user.slice/cpu.max': quota,
      '/sys/fs/cgroup/user.slice/app.scope/cpu.max': 'max 100000',
    });
    expect(readCores(read, 8)).toBe(cores);
  });

  test('a quota of version 1', () => {
    const files = {
      ...four,
      '/proc/self/cgroup': '3:cpu,cpuacct:/docker/abc\n',
      '/proc/self/mountinfo': '32 31 0:29 /docker/abc /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct',
      '/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us': '300000',
      '/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us': '100000',
    };
    expect(readCores(machine(files), 8)).toBe(3);
    expect(readCores(machine({ ...files, '/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us': '-1' }), 8)).toBe(4);
  });
});
