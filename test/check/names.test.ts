import { describe, expect, test } from 'vitest';
import { whyNoName } from '../../src/check/names.js';
import { replace } from '../../src/check/outputs.js';

const failing = (code: string, times: number) => {
  let calls = 0;
  const move = async () => {
    if (calls++ < times) throw Object.assign(new Error(code), { code });
  };
  return { move, calls: () => calls };
};

describe('a name that Windows would write elsewhere', () => {
  test.each([
    ['con', /reserves the name con/],
    ['C:\\results\\NUL.json', /reserves the name NUL.json/],
    ['aux .txt', /reserves/],
    ['COM1', /reserves/],
    ['prn\\r.json', /reserves the name prn/],
    ['out.', /dot or space at the end/],
    ['C:\\out \\r.json', /dot or space at the end/],
    ['report.html:hidden', /no : in a name/],
    ['what?.json', /no \? in a name/],
  ])('%s is refused there, and nowhere else', (path, why) => {
    expect(whyNoName(path, 'win32')).toMatch(why);
    expect(whyNoName(path, 'linux')).toBeUndefined();
  });

  test.each([
    'r.json',
    'C:\\Users\\Jürg Müller\\r.json',
    'C:r.json',
    '..\\.\\r.json',
    '/tmp/r.json',
    '\\\\server\\share\\r.json',
    '\\\\?\\C:\\very\\long\\r.json',
    '\\\\.\\pipe\\name',
    'console.json',
    'com10',
    '.hidden',
  ])('%s is not', path => {
    expect(whyNoName(path, 'win32')).toBeUndefined();
  });
});

describe('a file that another program holds open', () => {
  test.each(['EPERM', 'EACCES', 'EBUSY'])('is replaced on Windows as soon as it is let go of (%s)', async code => {
    const { move, calls } = failing(code, 3);
    await replace('a', 'b', move, 'win32');
    expect(calls()).toBe(4);
  });

  test('is given up after some tries', async () => {
    const { move, calls } = failing('EBUSY', Infinity);
    await expect(replace('a', 'b', move, 'win32')).rejects.toThrow('EBUSY');
    expect(calls()).toBe(8);
  });

  test.each([
    ['EPERM', 'linux'],
    ['ENOSPC', 'win32'],
  ] as const)('%s on %s is no such thing', async (code, platform) => {
    const { move, calls } = failing(code, Infinity);
    await expect(replace('a', 'b', move, platform)).rejects.toThrow(code);
    expect(calls()).toBe(1);
  });
});
