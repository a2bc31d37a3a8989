import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** PCI vendor of NVIDIA. */
export const nvidia = '10de';

/**
 * PCI vendors whose display adapters only draw: those of virtual machines (QEMU 1234, Red Hat 1b36 and 1af4, VMware 15ad, VirtualBox
 * 80ee, Hyper-V 1414, Cirrus Logic 1013) and of servers' remote consoles (ASPEED 1a03, Matrox 102b).
 */
const drawing = new Set(['1234', '1b36', '1af4', '15ad', '80ee', '1414', '1013', '1a03', '102b']);

/** Whether adapters of this PCI vendor compute. */
export function computes(vendor: string): boolean {
  return vendor !== '0000' && !drawing.has(vendor);
}

/** PCI vendors of this machine's display adapters that have a driver, as `10de`, each once. */
export function displayVendors(): readonly string[] {
  if (process.platform === 'linux') return vendorsIn('/sys/class/drm');
  return process.platform === 'win32' ? vendorsOf(registered()) : [];
}

/** The same from the folder in which Linux keeps its cards. Software cards have no vendor, and bridges are no displays. */
export function vendorsIn(cards: string): readonly string[] {
  const vendors = namesIn(cards).flatMap(card => {
    const device = join(cards, card, 'device');
    const isDisplay = read(join(device, 'class'))?.startsWith('0x03') ?? true;
    return isDisplay ? (/^0x([\da-f]{4})$/.exec(read(join(device, 'vendor')) ?? '')?.[1] ?? []) : [];
  });
  return [...new Set(vendors)];
}

/** The same from what Windows' `reg query` says of display adapters; one without a driver of its own has no vendor there. */
export function vendorsOf(text: string): readonly string[] {
  const vendors = Array.from(text.matchAll(/MatchingDeviceId\s+REG_SZ\s+PCI\\VEN_([\da-f]{4})/gi), match => match[1]!);
  return [...new Set(vendors.map(vendor => vendor.toLowerCase()))];
}

function registered(): string {
  const reg = join(process.env.SystemRoot ?? 'C:\\Windows', 'System32', 'reg.exe');
  // Setup class of display adapters (devguid.h, GUID_DEVCLASS_DISPLAY).
  const key = 'HKLM\\SYSTEM\\CurrentControlSet\\Control\\Class\\{4d36e968-e325-11ce-bfc1-08002be10318}';
  const options = { encoding: 'utf8', windowsHide: true, timeout: 5000 } as const;
  return spawnSync(reg, ['query', key, '/s', '/v', 'MatchingDeviceId'], options).stdout ?? '';
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim().toLowerCase();
  } catch {
    return undefined;
  }
}
