import { answerCue, type Marker, specialTokens } from '../hygiene/marker.js';
import type { PromptFormat, Stops } from './format.js';

/** What a format of models that were tuned on conversations says of its own. */
export interface ChatFormat extends Pick<PromptFormat, 'name' | 'description' | 'source' | 'build'> {
  /** Literals of its own that are plain text and no tokens: `[INST]`. */
  readonly plain?: readonly Marker[];
  /** Whether it has a system turn. Default true. */
  readonly system?: boolean;
  /** Whether its template begins with the BOS, where that does not depend on the conversation and is not for the model file to say. */
  readonly bos?: boolean;
  readonly stops: Stops;
}

/** A format of models that were tuned on conversations. */
export function chatFormat({ name, description, source, plain, system, bos, stops, build }: ChatFormat): PromptFormat {
  return {
    ...chatTraits({ name, description, source, plain, system }),
    ...(bos !== undefined && { bos: () => bos }),
    stops: () => stops,
    build,
  };
}

/**
 * What all formats of conversations share: worked examples are turns, an answer stands behind the answer phrase, in the model's mouth (see
 * prefill), and a model that converses writes paragraphs. Plain literals are rewritten before special tokens are looked for, some of which
 * have the same shape, so that each is reported once.
 */
export function chatTraits({
  name,
  description,
  source,
  plain = [],
  system = true,
}: Pick<ChatFormat, 'name' | 'description' | 'source'> & {
  readonly plain?: readonly Marker[] | undefined;
  readonly system?: boolean | undefined;
}): Omit<PromptFormat, 'bos' | 'stops' | 'build'> {
  return {
    name,
    description,
    source,
    accepts: { chat: true, system, demonstrations: true },
    markers: [...plain, specialTokens, answerCue],
    blankLineEnds: false,
    continuation: (_, label) => ` ${label}`,
  };
}
