import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { computes, vendorsIn, vendorsOf } from '../../src/native/adapters.js';

const root = mkdtempSync(join(tmpdir(), 'meditron-adapters-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** A folder as Linux's /sys/class/drm: cards by name, each a link to a device with these files. */
function cards(devices: Readonly<Record<string, Readonly<Record<string, string>>>>): string {
  const folder = mkdtempSync(join(root, 'drm-'));
  for (const [card, files] of Object.entries(devices)) {
    const device = join(root, `device-${card}-${Math.random()}`);
    mkdirSync(device);
    for (const [name, text] of Object.entries(files)) writeFileSync(join(device, name), `${text}\n`);
    mkdirSync(join(folder, card));
    symlinkSync(device, join(folder, card, 'device'), 'junction');
  }
  writeFileSync(join(folder, 'version'), 'drm 1.1.0 20060810\n');
  return folder;
}

describe('the cards that Linux has a driver for', () => {
  const display = { class: '0x030000' };
  test.each<[string, Parameters<typeof cards>[0], readonly string[], boolean]>([
    [
      'Intel graphics and an NVIDIA card',
      { card0: { ...display, vendor: '0x8086' }, card1: { class: '0x030200', vendor: '0x10de' } },
      ['8086', '10de'],
      true,
    ],
    [
      'one card with its connector and render node',
      { card0: { ...display, vendor: '0x1002' }, renderD128: { ...display, vendor: '0x1002' } },
      ['1002'],
      true,
    ],
    ['QEMU’s screen', { card0: { ...display, vendor: '0x1234' } }, ['1234'], false],
    ['a server’s remote console', { card0: { ...display, vendor: '0x1a03' } }, ['1a03'], false],
    ['software cards (vkms, vgem), which have no vendor', { card0: {}, renderD128: {} }, [], false],
    ['no card', {}, [], false],
  ])('%s', (_, devices, vendors, gpu) => {
    const found = vendorsIn(cards(devices));
    expect([...found].sort()).toEqual([...vendors].sort());
    expect(found.some(computes)).toBe(gpu);
  });

  test('a folder that is not there has none', () => {
    expect(vendorsIn(join(root, 'nowhere'))).toEqual([]);
  });
});

test('what Windows’ registry says of display adapters', () => {
  const key = 'HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Control\\Class\\{4d36e968-e325-11ce-bfc1-08002be10318}';
  const entry = (i: number, id: string) => `\r\n${key}\\000${i}\r\n    MatchingDeviceId    REG_SZ    ${id}\r\n`;
  const laptop = entry(0, 'PCI\\VEN_8086&DEV_9A49') + entry(1, 'pci\\ven_10de&dev_25a2&subsys_8a151043');
  expect(vendorsOf(`${laptop}\r\nEnd of search: 2 match(es) found.\r\n`)).toEqual(['8086', '10de']);
  // Microsoft's own driver for any screen, a virtual machine's, Wine's.
  for (const id of [
    'PCI\\CC_0300',
    'VMBUS\\{da0a7802-e377-4aac-8e77-0558eb1073f8}',
    'ROOT\\BasicDisplay',
    'PCI\\VEN_0000&DEV_0000',
  ])
    expect(vendorsOf(entry(0, id)).filter(computes)).toEqual([]);
  expect(vendorsOf('\r\nSearch complete. Number of matches found: 0\r\n')).toEqual([]);
});
