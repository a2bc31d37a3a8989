import type { ModelFacts } from './registry.js';

/**
 * What has to be said of a text that is longer than those a model was trained on, as far as that is published: files say what their graph
 * bears, which may be more. Empty if it is not. `text` is what is asked: `The question`.
 */
export function beyondTraining(
  facts: ModelFacts | null,
  text: string,
  promptTokens: number | null,
  maxTokens: number,
): string[] {
  const trained = facts?.trainedContext;
  if (!trained || promptTokens === null || promptTokens + maxTokens <= trained.tokens) return [];
  return [
    `${text} has ${promptTokens} tokens and an answer up to ${maxTokens}, ${promptTokens + maxTokens} in all; ${facts.title} was trained on ${trained.tokens} at once (${trained.source}), and what lies beyond is worth less`,
  ];
}
