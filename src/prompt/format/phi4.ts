import { fixed, join, prompt } from '../segment.js';
import { chatFormat } from './chat.js';
import { chatTurn, prefill, systemOf, turnsOf } from './turn.js';

/** Phi-4: no newline anywhere, a separator behind the role. */
export const phi4 = chatFormat({
  name: 'phi-4',
  description: 'Phi-4 chat, for Meditron3-Phi4-14B',
  source: 'microsoft/phi-4 tokenizer_config.json',
  bos: false,
  stops: { tokens: ['<|im_end|>', '<|endoftext|>'], texts: ['<|im_end|>', '<|im_start|>'] },
  build(input) {
    const system = systemOf(input);
    const head = system === undefined ? [] : prompt`<|im_start|>system<|im_sep|>${system}<|im_end|>`;
    const turns = turnsOf(input, chatTurn).map(
      ({ role, content }) => prompt`<|im_start|>${fixed(role)}<|im_sep|>${content}<|im_end|>`,
    );
    return prompt`${head}${join(turns, '')}<|im_start|>assistant<|im_sep|>${fixed(prefill(input))}`;
  },
});
