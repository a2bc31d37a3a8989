import { answerCue, hashes, specialTokens } from '../hygiene/marker.js';
import { fixed, join, prompt } from '../segment.js';
import { bodyOf } from './body.js';
import { type PromptFormat, thinks } from './format.js';
import { baseTokens } from './stops.js';
import { askedOf, endingOf, prefill } from './turn.js';
import { wordingOf } from './wording.js';

/** PMC-LLaMA-13B: the instruction apart from its input. The missing blank between the two sentences is the model card's. */
export const pmcLlama: PromptFormat = {
  name: 'pmc-llama',
  description: 'instruction, input and response, for PMC-LLaMA',
  source: 'Hugging Face axiong/PMC_LLaMA_13B, model card',
  accepts: { chat: false, system: false, demonstrations: false },
  markers: [hashes, specialTokens, answerCue],
  blankLineEnds: false,
  stops: () => ({ tokens: baseTokens, texts: ['###'] }),
  build(input) {
    const { instruction, cue } = wordingOf(input);
    const question = askedOf(input.question);
    const ending = input.protocol === 'strict' ? endingOf(question) : '';
    const steps = ending ? [cue, fixed(ending)] : [cue];
    const told = [...(instruction ? [instruction] : []), ...(thinks(input.mode) ? steps : [])];
    const spoken = prefill(input);
    return prompt`Below is an instruction that describes a task, paired with an input that provides further context.Write a response that appropriately completes the request.\n\n### Instruction:\n${join(told, '\n')}\n\n### Input:\n${bodyOf(question, input.protocol)}\n\n### Response:${fixed(spoken && ` ${spoken}`)}`;
  },
  continuation: (_, label) => ` ${label}`,
};
