/**
 * A run of prompt text. Only template segments may contain special tokens (`<|im_start|>`, `<s>`); in all other
 * segments such strings are ordinary text, whatever they spell.
 */
export interface Segment {
  /** Its text; segments are joined with nothing between them. */
  readonly text: string;
  /** True for text written by a prompt format, false for text that came from outside. */
  readonly template: boolean;
}

/** A token, and the natural logarithm of its probability. */
export interface TokenLogprob {
  /** Its id in the vocabulary. */
  readonly token: number;
  /** From the raw logits: no sampler, no temperature. */
  readonly logprob: number;
}

/** How a sample ended: an end token, a stop string, the token limit, or cancelled because it no longer mattered. */
export type Finish = 'end' | 'stop' | 'length' | 'cancelled';

/**
 * How one sample chooses a token, all of it set (defaults and checks: engine/jobs/sampling.ts): grammar and logit bias, penalties, temperature, then `minP`, `topK` and `topP`, each on what the one
 * before has left of the tempered distribution. The order is vLLM's, with which MEDITRON's authors sampled.
 */
export interface Sampling {
  /** Divides the logits; below 1e-5 the most probable token is taken. */
  readonly temperature: number;
  /** Keep the k most probable tokens, after the temperature; 0 keeps all. */
  readonly topK: number;
  /** Keep the smallest set of tokens whose probabilities add up to p, after the temperature; 1 keeps all. */
  readonly topP: number;
  /** Keep tokens at least this fraction as probable as the most probable one, after the temperature; 0 keeps all. */
  readonly minP: number;
  /** Divides (multiplies, if negative) the logits of tokens already generated; 1 is off. */
  readonly repeatPenalty: number;
  /** Subtracted from a token's logit for every time it has been generated; 0 is off. */
  readonly frequencyPenalty: number;
  /** Subtracted once from the logit of every token that has been generated; 0 is off. */
  readonly presencePenalty: number;
  /** Added to the logits of single tokens before everything else. */
  readonly logitBias: ReadonlyMap<number, number>;
  /** A GBNF grammar the text must follow, or undefined. */
  readonly grammar: string | undefined;
  /** 0 … 2^32 - 2. */
  readonly seed: number;
}

/**
 * How a question is put, and an answer read. `paper`: as arXiv 2311.16079 prints it. `authors-code`: as epfLLM/meditron
 * `evaluation/` does it, quirks included. `strict`: ours, as the models were trained but without the quirks.
 */
export const protocols = ['strict', 'paper', 'authors-code'] as const;
/** Whose prompts, parser and count: this project's (`strict`), the publication's (`paper`), its scripts' (`authors-code`). */
export type Protocol = (typeof protocols)[number];
