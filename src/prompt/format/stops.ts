import { textOf } from '../segment.js';
import type { PromptInput, Stops } from './format.js';
import { wordingOf } from './wording.js';

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

/**
 * Where another question of the same form would begin, in formats of plain text: a base model may go on with an invented one.
 * Its cue stands before its answer; choices have a label besides.
 */
export function nextQuestion(input: PromptInput): string[] {
  const cue = `\n${textOf(wordingOf(input).cue)}`;
  return input.question.kind === 'choice' ? [cue, '\nQuestion:'] : [cue];
}
