import type { PromptInput, Stops } from './format.js';

/**
 * End tokens of base MEDITRON. Documents in its training data end in `<EOD>`, which neither its Hugging Face configuration
 * nor llama.cpp takes for an end; `<PAD>` is what llama.cpp ends on (Megatron-LLM tokenizer; llama.cpp src/llama-vocab.cpp).
 */
export const baseTokens = ['</s>', '<EOD>', '<PAD>'] as const;

/** Stops of a format: the authors' inference.py stops on end, pad and `###` alone, whatever the format. */
export function stopsFor(input: PromptInput, tokens: readonly string[], texts: readonly string[]): Stops {
  if (input.protocol === 'authors-code') return { tokens: ['</s>', '<PAD>'], texts: ['###'] };
  return { tokens, texts };
}
