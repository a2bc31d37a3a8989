import { expect, test } from 'vitest';
import { sampleSeed, sampleSeeds } from '../../src/random/seeds.js';

test.each([
  [42, '', [2943893322, 1475765339, 1937171016, 3083766614, 1938080804]],
  [42, 'medqa:0', [732356184, 53824025, 2942575550, 3629541902, 1829942048]],
  [42, 'medqa:1', [3229040380, 4011072948, 3765626308, 3977289316, 3875643047]],
  [0, '', [991554539, 340853860, 3994043301, 233881807, 3320211994]],
])('the seeds of master %i, item %j never change', (master, item, seeds) => {
  expect(sampleSeeds(master, 5, item)).toEqual(seeds);
  expect(sampleSeed(master, 3, item)).toBe(seeds[3]);
});

test('neighbouring masters share no seeds', () => {
  const all = Array.from({ length: 100 }, (_, master) => sampleSeeds(master, 10)).flat();
  expect(new Set(all).size).toBe(1000);
});

test('what cannot be told apart in the hashed text is refused', () => {
  expect(() => sampleSeed(1, 0, 'a\n0')).toThrow(/one line/);
  expect(() => sampleSeed(1.5, 0)).toThrow(/integer/);
  expect(() => sampleSeed(-1, 0)).toThrow(/integer/);
});
