import { usualWidth } from '../engine/capacity/ask.js';
import type { Model } from '../engine/model.js';
import type { Segment } from '../types.js';
import type { Request } from './answerer.js';
import { commonTokens } from './beginning.js';

/** The part of a model that asking needs. */
export interface AskModel extends Pick<Model, 'tokenize' | 'continuation' | 'special'> {
  /** What of {@link ModelInfo} asking needs. */
  readonly info: Pick<
    Model['info'],
    | 'path'
    | 'name'
    | 'architecture'
    | 'chatTemplate'
    | 'sizeBytes'
    | 'quantization'
    | 'contextLength'
    | 'specialTokens'
    | 'ends'
    | 'eos'
    | 'files'
    | 'loadMode'
    | 'gpuLayers'
    | 'devices'
    | 'runtime'
  > &
    Partial<Pick<Model['info'], 'keptBytes' | 'lowMemory' | 'headSize' | 'kvBytesPerToken'>>;
}

/** A request in a model's tokens: how many, and which. */
export interface MeasuredRequest {
  readonly prompts: readonly Int32Array[];
  /** For each prompt, what is compared right after it. */
  readonly continuations: readonly (readonly Int32Array[])[];
  /** For each prompt, what a sample of it is asked again with. */
  readonly reasks: readonly (Reask | undefined)[];
  /** The prompt of each sample, by index. */
  readonly samples: readonly number[];
  /** How many tokens all sampled prompts begin with, one of its own left to each. */
  readonly common: number;
  /** How many tokens of every prompt are in the cache already. */
  readonly cached: number;
  /** Lengths of the continuations that are compared right after a prompt, in mode top-token. */
  readonly direct: readonly number[] | undefined;
  /** Lengths of what a sample is asked again with. */
  readonly again: { readonly suffix: number; readonly continuations: readonly number[] } | undefined;
  readonly maxTokens: number;
  readonly leastTokens: number;
  /** Samples at once, as wanted. */
  readonly width: number;
}

export interface Reask {
  readonly suffix: Int32Array;
  readonly continuations: readonly Int32Array[];
}

export interface MeasureOptions {
  /** Counts how much of a prompt is in the cache already. */
  readonly cached?: (prompt: Int32Array) => number;
  /** Tokens beyond which no prompt can fit: then it is refused before it is tokenized. */
  readonly most?: number;
  readonly signal?: AbortSignal | undefined;
}

/** Tokenizes everything that a request may need. */
export async function measure(
  model: AskModel,
  request: Request,
  { cached = () => 0, most, signal }: MeasureOptions = {},
): Promise<MeasuredRequest> {
  const { bos, samples, maxTokens, leastTokens } = request;
  const prompts = await Promise.all(
    request.prompts.map(({ segments }) => model.tokenize(segments, { bos, maxTokens: most, signal })),
  );
  const following = (after: Int32Array, texts: readonly string[]) =>
    Promise.all(texts.map(text => model.continuation(after, text)));
  const continuations = await Promise.all(request.prompts.map((p, i) => following(prompts[i]!, p.continuations)));
  const reasks = await Promise.all(
    request.prompts.map(async ({ reask }) => {
      if (!reask || !request.reask) return undefined;
      const own: Segment[] = [{ text: reask.suffix, template: true }];
      const suffix = await model.tokenize(own, { bos: 'never', inside: true });
      return { suffix, continuations: await following(suffix, reask.continuations) };
    }),
  );
  const used = samples.map(({ prompt }) => prompt);
  const [again] = reasks;
  return {
    prompts,
    continuations,
    reasks,
    samples: used,
    common: commonTokens([...new Set(used)].map(i => prompts[i]!)),
    cached: Math.min(...prompts.map(cached)),
    direct: continuations[0]!.length > 0 ? longestOf(continuations) : undefined,
    again: again && { suffix: again.suffix.length, continuations: again.continuations.map(tokens => tokens.length) },
    maxTokens,
    leastTokens,
    width: Math.min(samples.length, request.width ?? usualWidth(model.info, samples.length)),
  };
}

/** Of each place, the longest of all prompts'. */
function longestOf(continuations: readonly (readonly Int32Array[])[]): number[] {
  return continuations[0]!.map((_, i) => Math.max(...continuations.map(lists => lists[i]!.length)));
}
