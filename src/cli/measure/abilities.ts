import { setImmediate } from 'node:timers/promises';
import { availableCores } from '../../engine/capacity/cores.js';
import { type Limit, limitOf, type Work } from '../../engine/capacity/limits.js';
import { availableMemory } from '../../engine/capacity/memory.js';
import { sum } from '../../engine/capacity/need.js';
import { type Outlook, outlookOf, typical } from '../../engine/capacity/outlook.js';
import { multiplied, type Speed } from '../../engine/capacity/speed.js';
import { loadAddon } from '../../native/load.js';
import { type Candidate, candidatesOf } from '../fit/candidates.js';
import { Measurement } from '../fit/measurement.js';

/** What `devices --measure` finds, as `--json` prints it. Speeds are the CPU's. */
export interface Abilities {
  /** How long it took. */
  readonly seconds: number;
  readonly threads: number;
  /** Bytes a second read from memory, by one thread and by all. */
  readonly readBytesPerSecond: { readonly one: number; readonly all: number };
  /** Of the processor time that all threads wanted, the part they got; the rest went to other programs. */
  readonly processorShare: number;
  readonly models: readonly Ability[];
  readonly warnings: readonly string[];
}

/** What becomes of one model, asked a typical question of five chains. */
export interface Ability {
  readonly name: string;
  readonly quantization: string;
  /** Bytes of the file. */
  readonly bytes: number;
  /** Everything it takes: weights, cache, computing, both processes. */
  readonly memoryBytes: number;
  readonly availableBytes: number;
  readonly fits: Outlook['fits'];
  readonly lowMemory: boolean;
  /** Bytes of weights that a step reads. */
  readonly bytesPerStep: number;
  /** Of all samples together. Null where it could not be measured; if it does not fit, what it would be with more memory. */
  readonly tokensPerSecond: Speed['tokensPerSecond'] | null;
  readonly promptTokensPerSecond: number | null;
  readonly questionSeconds: number | null;
  readonly heldBack: Readonly<Record<keyof Steps, Work & { readonly by: Limit }>> | null;
}

/** Seconds a step, and the bytes it reads. */
interface Steps {
  readonly one: Step;
  readonly five: Step;
  readonly prompt: Step;
}

interface Step {
  readonly seconds: number;
  readonly bytes: number;
}

const models = ['meditron-7b', 'meditron-70b'];
const quantization = 'Q4_K_M';
/** Memory to read, and seconds to read it for. */
const reading = { bytes: 256e6, seconds: 0.4 };

/** Measures for some seconds how this machine computes and reads memory, and reckons from it what it will do with a 7B and a 70B. */
export async function measureAbilities(signal: AbortSignal): Promise<Abilities> {
  const start = performance.now();
  const threads = availableCores();
  const { addon } = await loadAddon(signal);
  const bytes = Math.min(reading.bytes, Math.max(8e6, availableMemory() / 8));
  const one = addon.measureReading(1, bytes, reading.seconds);
  await setImmediate(); // Ctrl-C
  const before = { time: performance.now(), used: process.cpuUsage() };
  const all = addon.measureReading(threads, bytes, reading.seconds);
  const used = process.cpuUsage(before.used);
  const wanted = (threads * (performance.now() - before.time)) / 1000;
  const processorShare = Math.min(1, (used.user + used.system) / 1e6 / wanted);

  const alone = await Measurement.here({ gpus: false, threads: 1, signal });
  const together = await Measurement.here({ gpus: false, threads, signal });
  const abilities: Ability[] = [];
  for (const name of models) {
    signal.throwIfAborted();
    const { title, candidates } = await candidatesOf(name, signal);
    const candidate = candidates.find(each => each.quantization === quantization)!;
    const machine = { threads, readBytesPerSecond: all, processorShare };
    abilities.push(abilityOf(title, candidate, { alone, together, ...machine }));
    await setImmediate();
  }
  return {
    seconds: (performance.now() - start) / 1000,
    threads,
    readBytesPerSecond: { one, all },
    processorShare,
    models: abilities,
    warnings: together.problems,
  };
}

interface Measured {
  readonly alone: Measurement;
  readonly together: Measurement;
  readonly threads: number;
  readonly readBytesPerSecond: number;
  readonly processorShare: number;
}

function abilityOf(title: string, { quantization, model, tensors }: Candidate, measured: Measured): Ability {
  const { alone, together, threads, processorShare } = measured;
  const availableBytes = availableMemory();
  const outlook = outlookOf(model, availableBytes, threads);
  const fits = outlook.fits !== 'no';
  // What does not fit is reckoned for a machine with more memory: as it is, the disk decides.
  const layout = fits ? outlook : outlookOf(model, Number.MAX_SAFE_INTEGER, threads);
  const speed = together.speedOf(tensors, layout);
  const ofOne = threads > 1 ? alone.speedOf(tensors, layout) : speed;
  const bytesPerStep = sum(multiplied(tensors).values());
  const held = (step: keyof Steps) => {
    const [here, slower] = [stepsOf(speed!, layout, bytesPerStep)[step], stepsOf(ofOne!, layout, bytesPerStep)[step]];
    const work = {
      readingShare: Math.min(1, here.bytes / measured.readBytesPerSecond / here.seconds),
      threadsGain: slower.seconds / here.seconds,
    };
    return { ...work, by: limitOf(work, { fits, processorShare }) };
  };
  return {
    name: title,
    quantization,
    bytes: model.sizeBytes,
    memoryBytes: layout.memoryBytes,
    availableBytes,
    fits: outlook.fits,
    lowMemory: fits && outlook.lowMemory,
    bytesPerStep,
    tokensPerSecond: speed?.tokensPerSecond ?? null,
    promptTokensPerSecond: speed?.promptTokensPerSecond ?? null,
    questionSeconds: speed?.questionSeconds ?? null,
    heldBack: speed && ofOne ? { one: held('one'), five: held('five'), prompt: held('prompt') } : null,
  };
}

/** One step of each kind of work; of five samples as many as there are waves, and of a prompt the 32 tokens that are measured. */
function stepsOf({ tokensPerSecond, promptTokensPerSecond }: Speed, { waves }: Outlook, bytes: number): Steps {
  return {
    one: { seconds: 1 / tokensPerSecond.one, bytes },
    five: { seconds: typical.samples / tokensPerSecond.five, bytes: waves.length * bytes },
    prompt: { seconds: 32 / promptTokensPerSecond, bytes },
  };
}
