import { answerCue, specialTokens } from '../hygiene/marker.js';
import { fixed, join, prompt } from '../segment.js';
import type { FormatName, PromptFormat } from './format.js';
import { chatTurn, prefill, systemOf, turnsOf } from './turn.js';

/** ChatML with the roles user and assistant, for models whose own vocabulary has its tokens. */
interface Spoken extends Pick<PromptFormat, 'description' | 'source'> {
  readonly name: FormatName;
  /** The system text where none is given; undefined for no system turn. */
  readonly system: string | undefined;
  readonly end: string;
}

export const qwen: PromptFormat = spoken({
  name: 'qwen',
  description: "Qwen2.5's ChatML, for Meditron3 on Qwen2.5",
  source: 'Qwen/Qwen2.5-7B-Instruct tokenizer_config.json (llama.cpp models/templates/Qwen-Qwen2.5-7B-Instruct.jinja)',
  system: 'You are Qwen, created by Alibaba Cloud. You are a helpful assistant.',
  end: '<|endoftext|>',
});

export const eurollm: PromptFormat = spoken({
  name: 'eurollm',
  description: 'ChatML with user and assistant roles, for MeditronFO on EuroLLM',
  source: "axolotl's chat template `chatml`, which the training of EuroLLM-MeditronFO names",
  system: undefined,
  end: '</s>',
});

function spoken({ system: ours, end, ...about }: Spoken): PromptFormat {
  return {
    ...about,
    accepts: { chat: true, system: true, demonstrations: true },
    markers: [specialTokens, answerCue],
    stops: () => ({ tokens: ['<|im_end|>', end], texts: ['<|im_end|>', '<|im_start|>'] }),
    build(input) {
      const system = systemOf(input) ?? (ours === undefined ? undefined : fixed(ours));
      const head = system === undefined ? [] : prompt`<|im_start|>system\n${system}<|im_end|>\n`;
      const turns = turnsOf(input, chatTurn).map(
        ({ role, content }) => prompt`<|im_start|>${fixed(role)}\n${content}<|im_end|>\n`,
      );
      return prompt`${head}${join(turns, '')}<|im_start|>assistant\n${fixed(prefill(input))}`;
    },
    continuation: (_, label) => ` ${label}`,
  };
}
