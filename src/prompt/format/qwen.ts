import { fixed, join, prompt } from '../segment.js';
import { chatFormat } from './chat.js';
import type { PromptFormat } from './format.js';
import { chatTurn, prefill, systemOf, turnsOf } from './turn.js';

/** Qwen2.5, with the system text of its template. A fine-tune's file may begin with another: the registry says so, and `jinja` sends it. */
export const qwen = chatmlOf({
  name: 'qwen',
  description: "Qwen2.5's ChatML, for Meditron3 on Qwen2.5",
  source: 'Qwen/Qwen2.5-7B-Instruct tokenizer_config.json (llama.cpp models/templates/Qwen-Qwen2.5-7B-Instruct.jinja)',
  end: '<|endoftext|>',
  system: 'You are Qwen, created by Alibaba Cloud. You are a helpful assistant.',
});

/** EuroLLM as MeditronFO was trained, without a system text where none is given. */
export const eurollm = chatmlOf({
  name: 'eurollm',
  description: 'ChatML with user and assistant roles, for MeditronFO on EuroLLM',
  source: 'the chat template `chatml` of axolotl, which the training configuration of EuroLLM-MeditronFO names',
  end: '</s>',
  system: undefined,
});

interface Spoken extends Pick<PromptFormat, 'name' | 'description' | 'source'> {
  /** The token that ends a text, beside the one that ends a turn. */
  readonly end: string;
  /** The system text where none is given; undefined for no system turn. */
  readonly system: string | undefined;
}

function chatmlOf({ system: ours, end, ...about }: Spoken): PromptFormat {
  return chatFormat({
    ...about,
    bos: false,
    stops: { tokens: ['<|im_end|>', end], texts: ['<|im_end|>', '<|im_start|>'] },
    build(input) {
      const system = systemOf(input) ?? (ours === undefined ? undefined : fixed(ours));
      const head = system === undefined ? [] : prompt`<|im_start|>system\n${system}<|im_end|>\n`;
      const turns = turnsOf(input, chatTurn).map(
        ({ role, content }) => prompt`<|im_start|>${fixed(role)}\n${content}<|im_end|>\n`,
      );
      return prompt`${head}${join(turns, '')}<|im_start|>assistant\n${fixed(prefill(input))}`;
    },
  });
}
