import { planWaves } from '../../vote/count/stopping.js';
import { type InMemory, staysInMemory } from './low.js';
import { fits, jobNeed, larger, largest, type Need, sum, together } from './need.js';
import { gpuAlone } from './placement.js';
import { leastScoringNeed, wholeScoringNeed } from './scoring.js';

/** What a question makes of a model's time: its prompts, its samples, and how chains without an answer are asked again. */
export interface AskShape {
  /** One entry an order of the options: tokens of the prompt, and the indices of the samples that it is for. */
  readonly prompts: readonly { readonly tokens: number; readonly samples: readonly number[] }[];
  /** Tokens that all prompts begin with, leaving each at least one of its own. */
  readonly common: number;
  /** Of these common tokens, those that somebody else has evaluated and holds. Default 0. */
  readonly heldAlready?: number | undefined;
  readonly samples: number;
  /** Most new tokens of a sample. */
  readonly maxTokens: number;
  /** Tokens of the text that asks again, and of each continuation that is then scored; absent if nobody is asked again. */
  readonly again?: { readonly suffix: number; readonly continuations: readonly number[] } | undefined;
}

/** How a question runs in the sequences and cells there are. */
export interface AskLayout {
  /** Samples at once. */
  readonly width: number;
  /** Samples of each wave, one after the other. */
  readonly waves: readonly number[];
  /** Common tokens that are evaluated once and held for all waves; 0 if every prompt is evaluated by itself. */
  readonly shared: number;
  /** Whether chains are asked again on their own cache; else, released, on their tokens evaluated anew. */
  readonly againOnCache: boolean;
  /** The lease for all of it. */
  readonly need: Need;
}

/**
 * The widest layout of at most `wanted` samples at once that fits in `room`, and the lease that it takes. Where a layout is tight,
 * first the asking again gives up its cache, then samples run in more waves, at last the prompts give up their common evaluation.
 * Undefined if not even that fits.
 */
export function layoutOf(shape: AskShape, wanted: number, room: Need): AskLayout | undefined {
  for (let width = Math.min(wanted, shape.samples); width >= 1; width--) {
    const most = roomyLayout(shape, width);
    if (fits(most.need, room)) return most;
    for (const onCache of [true, false]) {
      const tight = layout(shape, width, { sharing: true, onCache, whole: false });
      if (fits(tight.need, room)) return tight;
    }
  }
  for (const onCache of [true, false]) {
    const least = layout(shape, 1, { sharing: false, onCache, whole: false });
    if (fits(least.need, room)) return least;
  }
  return undefined;
}

/** The layout of `width` samples at once on an engine that is made for it: everything shared, all continuations scored at once. */
export function roomyLayout(shape: AskShape, width: number): AskLayout {
  return layout(shape, Math.min(width, shape.samples), { sharing: true, onCache: true, whole: true });
}

/**
 * Samples at once where nobody says: four where a CPU computes layers whose weights are in memory, because a fifth is often not
 * needed, and costs kernels that take four rows in one pass over the weights (llama.cpp's) as much as the four before it; all of them
 * elsewhere. Ours take a fifth for little: that a wider step pays is measured (`measuredWidth`), not assumed. The same whatever the
 * stopping rule: the number of samples at once changes floating point results, and a rule must not change samples.
 */
export function usualWidth(
  info: InMemory & { readonly gpuLayers: number; readonly layers?: number | null | undefined },
  samples: number,
): number {
  return Math.min(samples, staysInMemory(info) && !gpuAlone(info) ? 4 : samples);
}

/**
 * New tokens that a sample may have: `wanted`, or what a sequence has left beside its prompt and what asking again takes. May be
 * negative: then the prompt alone does not fit.
 */
export function newTokensThatFit(
  limits: { readonly sequenceSize: number; readonly contextSize: number },
  promptTokens: number,
  wanted: number,
  again?: AskShape['again'],
): number {
  return Math.min(wanted, Math.min(limits.sequenceSize, limits.contextSize) - promptTokens - againPositions(again));
}

/** Tokens that asking again puts behind a chain, at most. */
export function againPositions(again: AskShape['again']): number {
  return again ? again.suffix + largest(again.continuations) : 0;
}

/**
 * What the top-token mode takes: the continuations scored behind the prompt, at once if `whole`. Outside `strict` the prompt is held
 * beside them, and `greedyTokens` tokens are sampled after it.
 */
export function topTokenNeed(
  promptTokens: number,
  continuations: readonly number[],
  { whole, greedyTokens }: { readonly whole: boolean; readonly greedyTokens?: number | undefined },
): Need {
  const scoring = whole ? wholeScoringNeed : leastScoringNeed;
  if (greedyTokens === undefined || promptTokens === 1) {
    const greedy = jobNeed({ promptTokens, branchCells: [greedyTokens ?? 0] });
    return larger(scoring(promptTokens, continuations), greedy);
  }
  const held = { sequences: 1, cells: promptTokens - 1 };
  return together(held, larger(scoring(1, continuations), jobNeed({ promptTokens: 1, branchCells: [greedyTokens] })));
}

/**
 * Questions that run at once when each takes `each` beside what all of them share: at most 256 sequences, and as many cells as
 * there are. At least 1.
 */
export function questionsThatFit(each: Need, shared: Need, cells: number): number {
  const bySequences = Math.floor((maxSequences - shared.sequences) / each.sequences);
  const byCells = Math.floor((cells - shared.cells) / each.cells);
  return Math.max(1, Math.min(bySequences, byCells));
}

/** What `questions` questions take at once that each need `each`, beside what all of them share. */
export function questionsNeed(each: Need, shared: Need, questions: number): Need {
  return {
    sequences: Math.min(maxSequences, shared.sequences + questions * each.sequences),
    cells: shared.cells + questions * each.cells,
  };
}

/** llama.cpp's most sequences in one context. */
export const maxSequences = 256;

interface Choices {
  /** Whether what all prompts begin with is evaluated once, where that saves something. */
  readonly sharing: boolean;
  readonly onCache: boolean;
  /** Whether continuations are scored at once, or as few at a time as one sequence allows. */
  readonly whole: boolean;
}

function layout(shape: AskShape, width: number, { sharing, onCache, whole }: Choices): AskLayout {
  const { common, heldAlready = 0, samples, maxTokens, prompts, again } = shape;
  const shared = sharing && common > heldAlready && (width < samples || prompts.length > 1) ? common : 0;
  const trunk = shared > 0 ? { sequences: 1, cells: shared - heldAlready } : nothing;
  const waves = planWaves(samples, width);
  const begun = Math.max(shared, heldAlready);
  const wave = { sequences: width, cells: largest(cellsOfWaves(prompts, waves, begun)) + width * maxTokens };
  let need = together(trunk, wave);
  if (again) {
    const scoring = whole ? wholeScoringNeed : leastScoringNeed;
    // A whole chain's last token has not been evaluated: one more.
    if (onCache) need = together(need, scoring(again.suffix + 1, again.continuations));
    else {
      const longest = largest(prompts.map(({ tokens }) => tokens)) + maxTokens + again.suffix;
      need = larger(need, together(trunk, leastScoringNeed(longest, again.continuations)));
    }
  }
  return { width, waves, shared, againOnCache: onCache && again !== undefined, need };
}

const nothing: Need = { sequences: 0, cells: 0 };

/** Cells of the prompts of each wave; a prompt that several of its samples share counts once. */
function* cellsOfWaves(prompts: AskShape['prompts'], waves: readonly number[], begun: number): Generator<number> {
  let first = 0;
  for (const count of waves) {
    const end = first + count;
    const from = first;
    const inWave = prompts.filter(prompt => prompt.samples.some(sample => sample >= from && sample < end));
    yield sum(inWave.map(({ tokens }) => tokens - begun));
    first = end;
  }
}
