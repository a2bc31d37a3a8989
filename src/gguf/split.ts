import { basename, dirname, join } from 'node:path';
import { damaged } from './fault.js';
import type { Metadata } from './metadata.js';

export interface SplitInfo {
  readonly count: number;
  /** Tensors in all parts together. */
  readonly tensorCount: number;
}

/** `name-00001-of-00003.gguf`, as llama.cpp's gguf-split writes it. */
const splitName = /^(.*)-(\d{5})-of-(\d{5})\.gguf$/s;

/** Whether a file is called as a part of a split model that is not the first. */
export function isLaterPart(path: string): boolean {
  const number = splitName.exec(basename(path))?.[2];
  return number !== undefined && Number(number) > 1;
}

/** How a file is split, or undefined for a plain one. The file must be the first part, under its original name. */
export function splitOf(path: string, metadata: Metadata): SplitInfo | undefined {
  const count = metadata.get('split.count');
  if (count === undefined) return undefined;
  if (count.type !== 'u16') throw damaged(path, 'split.count to be a u16', count.type);
  if (count.value <= 1) return undefined;

  const number = metadata.get('split.no');
  const total = metadata.get('split.tensors.count');
  if (number?.type !== 'u16') throw damaged(path, 'split.no to be a u16', number?.type ?? 'none');
  if (total?.type !== 'i32') throw damaged(path, 'split.tensors.count to be an i32', total?.type ?? 'none');
  if (number.value !== 0) {
    const first = partName(basename(path), 0, count.value);
    const advice = first === undefined ? 'name the first part' : `name the first part, ${first}`;
    throw damaged(path, 'the first part of a split model', `part ${number.value + 1} of ${count.value}`, advice);
  }
  return { count: count.value, tensorCount: total.value };
}

/** The paths of all parts, in the folder of the first. */
export function siblingPaths(path: string, split: SplitInfo): readonly string[] {
  const name = basename(path);
  if (partName(name, 0, split.count) !== name) {
    throw damaged(
      path,
      `the first of ${split.count} parts to be called NAME-00001-of-${pad(split.count)}.gguf`,
      name,
      'give the parts their original names',
    );
  }
  return Array.from({ length: split.count }, (_, i) => join(dirname(path), partName(name, i, split.count)!));
}

/** The paths of all parts that the name of the first one speaks of; of any other name the path itself. Reads nothing. */
export function namedParts(path: string): readonly string[] {
  const [, , number, count] = splitName.exec(basename(path)) ?? [];
  return Number(number) === 1 ? siblingPaths(path, { count: Number(count), tensorCount: 0 }) : [path];
}

/** The name of a part (from 0) of a model written as `prefix` in `count` parts. */
export function splitFileName(prefix: string, index: number, count: number): string {
  return `${prefix}-${pad(index + 1)}-of-${pad(count)}.gguf`;
}

/** `x.gguf-split-a`, `x.gguf.part1of2`, `x.gguf.001`: a file cut into pieces of bytes, as hosts with a size limit ask for. */
const pieceName = /(\.gguf)([-._]?(?:(?:split|part)[-._]?)?)(?:[a-z]{1,2}|\d{1,3}(?:[-._]?of[-._]?\d+)?)$/i;

/** What to do with a piece of a file that was cut into bytes, going by its name; undefined for any other name. */
export function joinAdvice(path: string): string | undefined {
  const name = basename(path);
  const match = pieceName.exec(name);
  if (match === null) return undefined;
  const whole = name.slice(0, match.index) + match[1]!;
  const command = `cat ${whole}${match[2]}* > ${whole}`;
  return `it is one piece of ${whole}: join all of them in the order of their names (${command}) and use the result`;
}

function partName(name: string, index: number, count: number): string | undefined {
  const match = splitName.exec(name);
  return match === null ? undefined : splitFileName(match[1]!, index, count);
}

function pad(n: number): string {
  return String(n).padStart(5, '0');
}
