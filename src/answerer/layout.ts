import { MeditronError } from '../check/errors.js';
import {
  type AskShape,
  againPositions,
  layoutOf,
  newTokensThatFit,
  roomyLayout,
  topTokenNeed,
} from '../engine/capacity/ask.js';
import { fits, larger, largest, type Need, together } from '../engine/capacity/need.js';
import { leastScoringNeed, wholeScoringNeed } from '../engine/capacity/scoring.js';
import type { EngineSettings } from '../engine/settings.js';
import type { MeasuredRequest } from './measure.js';

/** How a request is run on an engine. */
export interface Layout {
  readonly waves: readonly number[];
  readonly maxTokens: number;
  /** Tokens of the common beginning that are evaluated once and kept; 0 where every prompt is evaluated by itself. */
  readonly shared: number;
  /** Whether samples are asked again on their own cache. */
  readonly againOnCache: boolean;
  /** What the request takes at most, all at once. */
  readonly need: Need;
  readonly warnings: readonly string[];
}

type Limits = Pick<EngineSettings, 'contextSize' | 'sequenceSize' | 'maxSequences'>;

/**
 * How a request fits in an engine of this size. A function of both alone: what else runs only makes it wait. Pure.
 *
 * @throws MeditronError `ERR_CONTEXT_FULL` with the numbers if it never fits
 */
export function layOut(request: MeasuredRequest, limits: Limits): Layout {
  if (request.direct) return layOutChoices(request, limits);
  const { maxSequences, contextSize } = limits;
  const warnings: string[] = [];
  const maxTokens = tokensThatFit(request, limits, warnings);
  const shape = shapeOf(request, maxTokens);
  const layout = layoutOf(shape, request.width, { sequences: maxSequences, cells: contextSize });
  if (!layout) {
    const { cells } = roomyLayout(shape, 1).need;
    throw full(`One sample needs ${cells} cells, the engine has ${contextSize}. Open it with a larger \`contextSize\``);
  }
  if (layout.width < request.width) {
    warnings.push(
      `${layout.width} of ${shape.samples} samples run at once: the engine has ${maxSequences} sequences and ${contextSize} cells. ` +
        'Open it with a larger `maxSequences` or `contextSize` for more',
    );
  }
  return { ...layout, maxTokens, warnings };
}

/**
 * What the request takes of an engine that is made for it; with fewer samples at once where that is more than `most` cells. Throws as
 * {@link layOut} does.
 */
export function roomyNeed(request: MeasuredRequest, sequenceSize: number, most = Infinity): Need {
  if (request.direct) return choicesNeed(request, { sharing: true, whole: true });
  const maxTokens = tokensThatFit(request, { sequenceSize, contextSize: sequenceSize }, []);
  const shape = shapeOf(request, maxTokens);
  let layout = roomyLayout(shape, request.width);
  while (layout.need.cells > most && layout.width > 1) layout = roomyLayout(shape, layout.width - 1);
  return layout.need;
}

function shapeOf({ prompts, samples, common, cached, again }: MeasuredRequest, maxTokens: number): AskShape {
  const sampled = prompts.flatMap((tokens, i) => (samples.includes(i) ? [{ tokens, i }] : []));
  return {
    prompts: sampled.map(({ tokens, i }) => ({
      tokens: tokens.length,
      samples: samples.flatMap((prompt, sample) => (prompt === i ? [sample] : [])),
    })),
    common,
    heldAlready: cached,
    samples: samples.length,
    maxTokens,
    again,
  };
}

function tokensThatFit(
  { prompts, again, maxTokens: wanted, leastTokens }: MeasuredRequest,
  limits: Pick<Limits, 'sequenceSize' | 'contextSize'>,
  warnings: string[],
): number {
  const longest = largest(prompts.map(tokens => tokens.length));
  const most = newTokensThatFit(limits, longest, wanted, again);
  if (most === wanted) return most;
  const size = Math.min(limits.sequenceSize, limits.contextSize);
  if (most < leastTokens) {
    const asking = again ? `, asking again takes ${againPositions(again)}` : '';
    const needed = leastTokens < wanted ? `at least ${leastTokens}` : String(wanted);
    throw full(
      `The prompt has ${longest} tokens${asking}, and ${needed} new ones are needed; ${size} fit in a sequence. ` +
        'Shorten the question or lower `maxTokens`; nothing is cut silently.',
    );
  }
  warnings.push(`Samples may have ${most} new tokens instead of ${wanted}: the prompt takes ${longest} of ${size}`);
  return most;
}

/** Answers are compared after one prompt after the other; the first is kept if a text is generated after it too. */
function layOutChoices(request: MeasuredRequest, { contextSize, sequenceSize, maxSequences }: Limits): Layout {
  const { maxTokens, samples, common, cached } = request;
  const room = { sequences: maxSequences, cells: contextSize };
  const keeping = samples.length > 0 && common > cached;
  const ways = [keeping, false].flatMap(sharing => [true, false].map(whole => ({ sharing, whole })));
  const way = ways.find(each => fits(choicesNeed(request, each), room));
  const longest = largest(request.prompts.map(tokens => tokens.length)) + mostAfter(request);
  const size = Math.min(contextSize, sequenceSize);
  if (!way || longest > size) {
    throw full(
      `The prompt and the answers that are compared have up to ${longest} tokens; ${size} fit in a sequence. ` +
        'Shorten the question or open the engine with a larger `contextSize`; nothing is cut silently.',
    );
  }
  return {
    waves: [1],
    maxTokens,
    shared: way.sharing ? common : 0,
    againOnCache: false,
    need: choicesNeed(request, way),
    warnings: [],
  };
}

function choicesNeed(request: MeasuredRequest, { sharing, whole }: { sharing: boolean; whole: boolean }): Need {
  const { prompts, cached, samples } = request;
  const lengths = request.direct!;
  const scoring = whole ? wholeScoringNeed : leastScoringNeed;
  const [first = 0, ...others] = prompts.map(tokens => tokens.length - cached);
  const probing = scoring(largest([first, ...others]), lengths);
  if (samples.length === 0) return probing;
  const greedyTokens = mostAfter(request);
  if (!sharing) return larger(probing, topTokenNeed(1, lengths, { whole, greedyTokens: first - 1 + greedyTokens }));
  const own = topTokenNeed(first, lengths, { whole, greedyTokens });
  if (others.length === 0) return own;
  return larger(own, together({ sequences: 1, cells: first - 1 }, scoring(largest(others), lengths)));
}

/** Tokens that may follow a prompt: of a continuation, or of a text that is generated. */
function mostAfter({ direct, samples, maxTokens }: MeasuredRequest): number {
  const longest = largest(direct ?? []);
  return samples.length > 0 ? Math.max(longest, maxTokens) : longest;
}

function full(message: string): MeditronError {
  return new MeditronError('ERR_CONTEXT_FULL', message);
}
