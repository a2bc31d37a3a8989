import { largest } from './need.js';
import type { Offload } from './offload.js';
import { type Outlook, typical } from './outlook.js';
import type { Speed } from './speed.js';

/**
 * Tokens a second at which a person reads: 238 words a minute (M. Brysbaert, How many words do we read per minute?, Journal of Memory
 * and Language 109, 2019), at three quarters of a word a token.
 */
export const readingSpeed = 5;

/** What is recommended, in one sentence. */
export const rule =
  `Of Q8_0 down to Q4_K_M, the finest quantization that leaves room in memory and writes ${typical.samples} samples together at reading speed ` +
  `(${readingSpeed} tokens a second) or faster, else the smallest of them; where none leaves room, the same of those that run most samples at once; ` +
  'below Q4_K_M, where nothing finer fits, the finest that fits; on a GPU, the finest that it takes whole';

/** One quantization of a model, as it would run here. */
export interface Choice extends Pick<Outlook, 'fits' | 'lowMemory' | 'samples' | 'waves'> {
  /** As file names spell it. */
  readonly quantization: string;
  /** Of all tensors. */
  readonly bytes: number;
  /** Null where it was not measured. */
  readonly tokensPerSecond: Speed['tokensPerSecond'] | null;
  readonly gpu: Offload | null;
}

export interface Recommendation {
  /** Null if nothing fits, or what fits is finer than is of use here. */
  readonly quantization: string | null;
  /** Why, a sentence without its full stop. */
  readonly reason: string;
  /** Of each choice, in a few words: why it is recommended, or is not. */
  readonly notes: readonly string[];
}

/** Applies {@link rule}. `choices`: the quantizations of one model, the finest first. */
export function recommend(choices: readonly Choice[]): Recommendation {
  const best = bestOf(choices);
  return {
    quantization: best?.choice.quantization ?? null,
    reason: best?.reason ?? noneReason(choices),
    notes: choices.map(choice => (choice === best?.choice ? 'recommended' : noteOf(choice, choices, best?.choice))),
  };
}

/** Whether it runs at all, on the CPU or whole on a GPU. */
export function runs({ fits, gpu }: Pick<Choice, 'fits' | 'gpu'>): boolean {
  return fits !== 'no' || gpu?.whole === true;
}

/** Whether all samples run as side by side as `ask` lets them here: four and one on a CPU that reads its weights. */
export function atOnce({ lowMemory, samples }: Pick<Choice, 'lowMemory' | 'samples'>): boolean {
  return !lowMemory || samples === typical.samples;
}

interface Best {
  readonly choice: Choice;
  readonly reason: string;
}

function bestOf(choices: readonly Choice[]): Best | undefined {
  const fit = choices.filter(runs);
  const good = fit.filter(({ quantization }) => !isUnquantized(quantization) && !isCoarse(quantization));
  if (good.length > 0) return bestOfGood(good);
  const choice = fit.find(each => (isUnquantized(each.quantization) ? isQuick(each) : true));
  if (!choice) return undefined;
  const finer = isCoarse(choice.quantization) ? '; nothing from Q4_K_M up fits' : '';
  return { choice, reason: `the finest that fits${roomOf(choice)}${speedOf(choice)}${finer}` };
}

function bestOfGood(choices: readonly Choice[]): Best {
  const onGpu = choices.find(({ gpu }) => gpu?.whole);
  if (onGpu) return { choice: onGpu, reason: 'the finest that the GPU takes whole' };
  const roomy = choices.filter(({ fits }) => fits === 'yes');
  const most = largest(choices.map(widthOf));
  const left = roomy.length > 0 ? roomy : choices.filter(choice => widthOf(choice) === most);
  const quick = left.find(isQuick);
  // A speed that is too low is no reason to choose between what is all too slow.
  const choice = quick ?? left.at(-1)!;
  const which = quick ? 'the finest' : 'the smallest of this quality';
  return { choice, reason: `${which} that fits${roomOf(choice)}${speedOf(choice)}` };
}

function roomOf(choice: Choice): string {
  if (choice.gpu?.whole) return ' on the GPU';
  if (choice.fits === 'yes') return ' with room in memory';
  const how = atOnce(choice) ? 'all samples at once' : `samples in turn (${wavesOf(choice)})`;
  return `, with little room${choice.lowMemory ? ' and --low-memory' : ''}, ${how}`;
}

function widthOf(choice: Choice): number {
  return atOnce(choice) ? typical.samples : choice.samples;
}

function speedOf(choice: Choice): string {
  if (choice.gpu?.whole) return '';
  if (choice.tokensPerSecond === null) return '; its speed is not known';
  const part = `${typical.samples} samples together`;
  return isQuick(choice)
    ? `, ${part} at reading speed or faster`
    : `; none writes ${part} at reading speed (${readingSpeed} tokens/s) here`;
}

/** As `4, then 1`. */
export function wavesOf({ waves }: Pick<Choice, 'waves'>): string {
  return waves.length > 1 && waves.every(count => count === 1) ? 'one by one' : waves.join(', then ');
}

function noneReason(choices: readonly Choice[]): string {
  return choices.some(runs)
    ? `it is finer than Q8_0 and slower than a person reads here (${readingSpeed} tokens a second): take Q8_0 or a smaller quantization`
    : 'nothing fits here';
}

function noteOf(choice: Choice, choices: readonly Choice[], best: Choice | undefined): string {
  if (!runs(choice)) return 'does not fit';
  if (!isQuick(choice)) return 'slower than reading';
  if (best && choices.indexOf(choice) > choices.indexOf(best)) return 'coarser than needed';
  return atOnce(choice) ? 'little room' : 'samples in turn';
}

function isQuick({ tokensPerSecond, gpu }: Choice): boolean {
  return gpu?.whole === true || tokensPerSecond === null || tokensPerSecond.five >= readingSpeed;
}

/** Finer than Q8_0, which loses next to nothing. */
function isUnquantized(quantization: string): boolean {
  return /^B?F(16|32)$/i.test(quantization);
}

/** With fewer than four bits a weight. */
function isCoarse(quantization: string): boolean {
  return /^(UD-)?I?T?Q[123]_/i.test(quantization);
}
