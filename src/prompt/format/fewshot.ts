import { MeditronError } from '../../check/errors.js';
import type { Segment } from '../../types.js';
import { answerMarker, hashes, lineMarkers, specialTokens } from '../hygiene/marker.js';
import { join, prompt } from '../segment.js';
import { bodyOf } from './body.js';
import type { Demonstration } from './demonstration.js';
import { type PromptFormat, type PromptInput, thinks } from './format.js';
import { examplesFor } from './shown.js';
import { baseTokens, nextQuestion, stopsFor } from './stops.js';
import { askedOf, trainedTurn } from './turn.js';
import { wordingOf } from './wording.js';

const source = 'epfLLM/meditron evaluation/benchmarks.py (add_instruction, add_few_shot), inference.py (format_prompt)';
const markers = [specialTokens, answerMarker, hashes, lineMarkers('Question', 'Options')];

/** The question with instruction and cue and nothing else: plain text, ending in a newline. */
export const raw: PromptFormat = {
  name: 'raw',
  description: 'zero-shot plain text, for base weights',
  source,
  accepts: { chat: false, system: false, demonstrations: false },
  markers,
  blankLineEnds: true,
  stops: input => stopsFor(input, baseTokens, ['###', ...nextQuestion(input)]),
  build: trainedTurn,
  continuation: (_, label) => label,
};

/**
 * Worked examples before the question, the instruction once before them; ends in a colon without a space. The paper shows
 * the 7B three examples and the 70B five (arXiv 2311.16079, Table 4). With a chain of thought every example must carry an
 * explanation; the files that the authors' code would read for this are not published, so it is `strict` only.
 */
export const fewShot: PromptFormat = {
  name: 'few-shot',
  description: 'in-context examples in plain text, for base weights: 3 for the 7B, 5 for the 70B',
  source,
  accepts: { chat: false, system: false, demonstrations: true },
  markers,
  blankLineEnds: true,
  // Examples end in a blank line, and so does what continues them.
  stops: input =>
    stopsFor(input, baseTokens, ['###', ...(shownBy(input).length > 0 ? ['\n\n'] : []), ...nextQuestion(input)]),
  build(input) {
    const { instruction, cue } = wordingOf(input);
    const shown = shownBy(input).map(demonstration => worked(demonstration, input));
    const examples = join([...shown, prompt`${bodyOf(askedOf(input.question), input.protocol)}\n${cue}`], '\n\n');
    return instruction ? prompt`${instruction}\n${examples}` : examples;
  },
  continuation: (_, label) => ` ${label}`,
};

function worked({ question, answer, explanation }: Demonstration, input: PromptInput): Segment[] {
  const body = bodyOf(question, input.protocol);
  if (!thinks(input.mode)) return prompt`${body}\nThe answer is: ${answer}`;
  const { cue } = wordingOf(input);
  return prompt`${body}\n${cue}\n${explanation!}\nThe answer is: ${answer}`;
}

function shownBy(input: PromptInput): readonly Demonstration[] {
  const { demonstrations, protocol, mode } = input;
  if (protocol !== 'strict' && thinks(mode)) {
    throw new MeditronError(
      'ERR_PROMPT_FORMAT',
      `Few-shot chains of thought cannot be built under ${protocol}: the authors' example files are not published; use raw, or strict`,
    );
  }
  if (demonstrations === undefined && protocol !== 'strict') {
    throw new MeditronError(
      'ERR_INPUT',
      `Expected \`demonstrations\` from the training split for few-shot prompts under ${protocol}, got none`,
    );
  }
  return examplesFor(input, 3);
}
