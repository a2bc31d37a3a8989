import { inBytes, inTime, inTokensPerSecond } from '../../check/words.js';
import { type Limit, limitOf, type Work } from '../../engine/capacity/limits.js';
import { typical } from '../../engine/capacity/outlook.js';
import { speedError } from '../../engine/capacity/speed.js';
import { oneLine } from '../terminal/plain.js';
import { type Row, table } from '../terminal/table.js';
import type { Abilities, Ability } from './abilities.js';

/** What this machine will do with each model, and what holds it back. */
export function described(abilities: Abilities): string {
  const { seconds, threads, readBytesPerSecond, processorShare, models } = abilities;
  const rows: Row[] = [
    [
      'measured',
      `in ${seconds.toFixed(1)} s, on the CPU; speeds are estimates, about ${speedError * 100} % either way`,
    ],
    [
      'memory',
      `${inBytes(readBytesPerSecond.all)}/s read by ${threadsInWords(threads)}${threads > 1 ? `, ${inBytes(readBytesPerSecond.one)}/s by one` : ''}`,
    ],
    ['processor', `${percent(processorShare)} of the time that ${threadsInWords(threads)} wanted`],
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
      ['one sample', `${inTokensPerSecond(tokensPerSecond.one)}; ${limitInWords(one, model, abilities)}`],
      [
        `${typical.samples} samples`,
        `${inTokensPerSecond(tokensPerSecond.five)} in all; ${limitInWords(five, model, abilities)}`,
      ],
      ['prompt', `${inTokensPerSecond(model.promptTokensPerSecond!)}; ${limitInWords(prompt, model, abilities)}`],
      ['a question', `about ${inTime(model.questionSeconds! * 1000)}, ${typical.samples} chains`],
    );
  }
  return `${oneLine(name)}, ${quantization}, ${inBytes(bytes)}\n${table(rows.map(([label, value]) => [`  ${label}`, value]))}`;
}

function limitInWords(work: Work, { fits, bytesPerStep }: Ability, { threads, processorShare }: Abilities): string {
  const words: Record<Limit, string> = {
    'memory size': '',
    'memory bandwidth': `memory bandwidth: reading ${inBytes(bytesPerStep)} a step takes ${percent(work.readingShare)} of the time`,
    cores: `the cores: ${threads === 1 ? 'there is one' : `${threads} threads do ${work.threadsGain.toFixed(1)} times as much as one`}`,
    'other programs': `other programs, which took ${percent(1 - processorShare)} of the processor`,
  };
  return `held back by ${fits === 'no' ? 'memory and, with enough of it, ' : ''}${words[limitOf(work, { fits: true, processorShare })]}`;
}

function percent(share: number): string {
  return `${Math.round(100 * share)} %`;
}

function threadsInWords(threads: number): string {
  return threads === 1 ? 'one thread' : `${threads} threads`;
}
