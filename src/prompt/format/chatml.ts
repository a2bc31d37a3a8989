import type { Segment } from '../../types.js';
import { answerCue, specialTokens } from '../hygiene/marker.js';
import { fixed, join, prompt } from '../segment.js';
import { bodyOf, paperChoice } from './body.js';
import { type PromptFormat, type PromptInput, thinks } from './format.js';
import { baseTokens, stopsFor } from './stops.js';
import { askedOf, systemOf, trainedTurn, turnsOf } from './turn.js';
import { wordingOf } from './wording.js';

/**
 * ChatML with the roles `question` and `answer`, as the authors' task fine-tunes were trained: no space after a marker, the
 * instruction inside the question turn, a system turn only if one was given in training. In the paper the instruction is
 * the system turn and options are `(A) text`; its markers are spaced as in the repository's README of November 2023.
 */
export const chatml: PromptFormat = {
  name: 'chatml',
  description: 'ChatML with question and answer roles, for task fine-tunes of MEDITRON with chat tokens',
  source: 'epfLLM/Megatron-LLM tools/preprocess_instruct_data.py (format_message); arXiv 2311.16079, section 4.2',
  accepts: { chat: true, system: true, demonstrations: false },
  markers: [specialTokens, answerCue],
  blankLineEnds: false,
  stops: input => stopsFor(input, [...baseTokens, '<|im_end|>'], ['###', '<|im_end|>', '<|im_start|>']),
  build(input) {
    if (printed(input)) return asPrinted(input);
    const system = systemOf(input);
    const head = system === undefined ? [] : prompt`<|im_start|>system\n${system}<|im_end|>\n`;
    const turns = turnsOf(input, trainedTurn).map(
      ({ role, content }) =>
        prompt`<|im_start|>${fixed(role === 'user' ? 'question' : 'answer')}\n${content}<|im_end|>\n`,
    );
    return prompt`${head}${join(turns, '')}<|im_start|>answer\n`;
  },
  // The paper's models answer "(C) Cystic hygroma"; the letter decides, the rest would only favour short options.
  continuation: (input, label) => (printed(input) && input.question.kind === 'choice' ? `(${label})` : label),
};

function printed({ protocol, question, mode }: PromptInput): boolean {
  return protocol === 'paper' && question.kind !== 'chat' && mode !== 'free' && mode !== 'ranked';
}

function asPrinted(input: PromptInput): Segment[] {
  const { instruction, cue } = wordingOf(input);
  const question = askedOf(input.question);
  const body = question.kind === 'choice' ? paperChoice(question) : bodyOf(question, 'paper');
  const head = instruction ? prompt`<|im_start|>system\n${instruction}<|im_end|>\n` : [];
  const asked = thinks(input.mode) ? prompt`${body}\n${cue}` : body;
  return prompt`${head}<|im_start|>question\n${asked}<|im_end|>\n<|im_start|>answer\n`;
}
