import { answerCue, specialTokens } from '../hygiene/marker.js';
import { fixed, join, prompt } from '../segment.js';
import type { PromptFormat } from './format.js';
import { joinedSystem } from './oneshot.js';
import { baseTokens, stopsFor } from './stops.js';
import { systemOf, trainedTurn, turnsOf } from './turn.js';

/**
 * The spaced ChatML that the authors' evaluation sends to checkpoints with `medical` in their name: roles user and
 * assistant, a space before and after most markers, none after the system turn's end.
 */
export const medical: PromptFormat = {
  name: 'medical',
  description: 'spaced ChatML with user and assistant roles, which the authors send to checkpoints named "medical"',
  source: 'epfLLM/meditron evaluation/inference.py (format_prompt)',
  accepts: { chat: true, system: true, demonstrations: false },
  markers: [specialTokens, answerCue],
  blankLineEnds: false,
  stops: input => stopsFor(input, [...baseTokens, '<|im_end|>'], ['###', '<|im_end|>', '<|im_start|>']),
  build(input) {
    const system = systemOf(input) ?? fixed(joinedSystem);
    const turns = turnsOf(input, trainedTurn).map(
      ({ role, content }) => prompt`<|im_start|> ${fixed(role)}\n${content}<|im_end|>\n `,
    );
    return prompt`<|im_start|> system\n${system}<|im_end|>\n ${join(turns, '')}<|im_start|> assistant\n`;
  },
  continuation: (_, label) => label,
};
