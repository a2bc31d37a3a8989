import { inBytes, inTime } from '../../check/words.js';
import type { Work } from '../../engine/capacity/limits.js';
import { typical } from '../../engine/capacity/outlook.js';
import { speedError } from '../../engine/capacity/speed.js';
import { oneLine } from '../terminal/plain.js';
import { type Row, table } from '../terminal/table.js';
import type { Abilities, Ability } from './abilities.js';

/** What this machine will do with each model, and what holds it back. */
export function described(abilities: Abilities): string {
  const { seconds, threads, readBytesPerSecond, processorShare, models } = abilities;
  const wanted = `${Math.round(processorShare * 100)} % of the processor time that ${threadsInWords(threads)} wanted`;
  const rows: Row[] = [
    [
      'measured',
      `in ${seconds.toFixed(1)} s, on the CPU; speeds are estimates, about ${speedError * 100} % either way`,
    ],
    [
      'memory',
      `${inBytes(readBytesPerSecond.all)}/s read by ${threadsInWords(threads)}${threads > 1 ? `, ${inBytes(readBytesPerSecond.one)}/s by one` : ''}`,
    ],
    ['got', wanted],
  ];
  return [table(rows), ...models.map(model => `\n${modelInWords(model, abilities)}`)].join('');
}

function modelInWords(model: Ability, abilities: Abilities): string {
  const { name, quantization, bytes, memoryBytes, availableBytes, fits, lowMemory, tokensPerSecond } = model;
  const room = `${inBytes(memoryBytes)} of memory needed, ${inBytes(availableBytes)} free`;
  const rows: Row[] = [
    [
      'memory',
      fits === 'no'
        ? `does not fit: ${room}. What is missing is read from the disk in every step; with more memory it would be:`
        : `fits${lowMemory ? ', with --low-memory' : fits === 'tight' ? ', with little room' : ''}: ${room}`,
    ],
  ];
  if (tokensPerSecond && model.heldBack) {
    const { one, five, prompt } = model.heldBack;
    rows.push(
      ['one sample', `${speed(tokensPerSecond.one)}; ${limitInWords(one, model, abilities)}`],
      [`${typical.samples} samples`, `${speed(tokensPerSecond.five)} in all; ${limitInWords(five, model, abilities)}`],
      ['prompt', `${speed(model.promptTokensPerSecond!)}; ${limitInWords(prompt, model, abilities)}`],
      ['a question', `about ${inTime(model.questionSeconds! * 1000)}, ${typical.samples} chains`],
    );
  }
  return `${oneLine(name)}, ${quantization}, ${inBytes(bytes)}\n${table(rows.map(([label, value]) => [`  ${label}`, value]))}`;
}

function limitInWords(
  { by, readingShare, threadsGain }: Work & { readonly by: string },
  { bytesPerStep }: Ability,
  { threads, processorShare }: Abilities,
): string {
  const gain = threads > 1 ? `${threads} threads do ${threadsGain.toFixed(1)} times as much as one` : 'there is one';
  if (by === 'memory bandwidth')
    return `held back by memory bandwidth: reading ${inBytes(bytesPerStep)} a step takes ${Math.round(readingShare * 100)} % of the time`;
  if (by === 'other programs')
    return `held back by other programs, which took ${Math.round((1 - processorShare) * 100)} % of the processor`;
  return `held back by ${by === 'memory size' ? 'memory and, with enough of it, ' : ''}the cores: ${gain}`;
}

function threadsInWords(threads: number): string {
  return threads === 1 ? 'one thread' : `${threads} threads`;
}

function speed(tokensPerSecond: number): string {
  return `${tokensPerSecond >= 10 ? Math.round(tokensPerSecond) : tokensPerSecond.toPrecision(2)} tokens/s`;
}
