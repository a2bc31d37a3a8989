import { cpus } from 'node:os';
import { inBytes } from '../../check/words.js';
import { availableCores } from '../../engine/capacity/cores.js';
import { availableMemory } from '../../engine/capacity/memory.js';
import { examineGpus } from '../../native/load.js';
import { oneLine } from '../terminal/plain.js';

/** What models are computed on here, in words. */
export async function computerInWords(signal: AbortSignal): Promise<string> {
  const { warnings, devices } = await examineGpus({ again: false, signal });
  const cores = availableCores();
  const cards = devices.map(({ description }) => oneLine(description));
  return [
    `Processor: ${oneLine(cpus()[0]?.model.trim() || 'not known')}, ${cores} ${cores === 1 ? 'core' : 'cores'}.`,
    `Memory: ${inBytes(availableMemory())} are free. A model needs about the size of its file, and a tenth more.`,
    cards.length > 0
      ? `Graphics cards that help: ${cards.join(', ')}.`
      : 'Graphics card: none is used. Models run on the processor.',
    ...warnings.map(oneLine),
  ]
    .join('\n')
    .concat('\n');
}
