import { createHash } from 'node:crypto';
import { MeditronError } from '../check/errors.js';
import { integer } from '../check/options.js';

/**
 * The seed of one sample: the first four bytes, big-endian, of the SHA-256 of `meditron.seed.v1`, the master seed, the item
 * and the sample's index, one a line. A hash, because seeds made by adding would repeat between neighbouring questions.
 * `item` names a row of a benchmark and is empty otherwise. Never 0xFFFFFFFF, which llama.cpp takes for "random".
 */
export function sampleSeed(master: number, index: number, item = ''): number {
  integer('seed', master, 0, Number.MAX_SAFE_INTEGER);
  integer('index', index, 0, Number.MAX_SAFE_INTEGER);
  if (item.includes('\n'))
    throw new MeditronError('ERR_OPTION', 'Expected `item` to be one line, got a line break in it');
  const hash = createHash('sha256').update(`meditron.seed.v1\n${master}\n${item}\n${index}`, 'utf8').digest();
  return Math.min(hash.readUInt32BE(0), 0xfffffffe);
}

/** The seeds of samples 0 … n - 1. */
export function sampleSeeds(master: number, n: number, item = ''): number[] {
  return Array.from({ length: n }, (_, index) => sampleSeed(master, index, item));
}
