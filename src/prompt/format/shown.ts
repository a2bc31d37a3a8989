import { MeditronError } from '../../check/errors.js';
import type { Demonstration } from './demonstration.js';
import { ownDemonstrations } from './examples.js';
import { type PromptInput, thinks } from './format.js';

/** The worked examples of a prompt: those that are given, else as many of our own as were asked for, or `most` if no number was said. */
export function examplesFor(input: PromptInput, most: number): readonly Demonstration[] {
  const { demonstrations, mode, question, shots = most } = input;
  const shown = demonstrations ?? ownDemonstrations(question.kind, mode, input.items ?? 5).slice(0, shots);
  const bare = thinks(mode) ? shown.findIndex(({ explanation }) => !explanation) : -1;
  if (bare < 0) return shown;
  throw new MeditronError(
    'ERR_INPUT',
    `Expected demonstrations with an \`explanation\` for a chain of thought, got none in number ${bare}`,
  );
}
