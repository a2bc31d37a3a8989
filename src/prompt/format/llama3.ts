import { answerCue, specialTokens } from '../hygiene/marker.js';
import { fixed, join, prompt } from '../segment.js';
import type { PromptFormat } from './format.js';
import { chatTurn, prefill, systemOf, turnsOf } from './turn.js';

/** Llama-3 chat, for Meditron3-8B and 70B. `<|begin_of_text|>` is the BOS and not written here. */
export const llama3: PromptFormat = {
  name: 'llama-3',
  description: 'Llama-3 chat, for the Llama-3 line of MEDITRON',
  source:
    'meta-llama/llama3 llama/tokenizer.py (ChatFormat); EPFLiGHT/meditron-apertus axolotl_config/meditron-3-8b.yaml',
  accepts: { chat: true, system: true, demonstrations: false },
  markers: [specialTokens, answerCue],
  stops: () => ({ tokens: ['<|end_of_text|>', '<|eot_id|>'], texts: ['<|eot_id|>', '<|start_header_id|>'] }),
  build(input) {
    const system = systemOf(input);
    const head = system === undefined ? [] : prompt`<|start_header_id|>system<|end_header_id|>\n\n${system}<|eot_id|>`;
    const turns = turnsOf(input, chatTurn).map(
      ({ role, content }) => prompt`<|start_header_id|>${fixed(role)}<|end_header_id|>\n\n${content}<|eot_id|>`,
    );
    return prompt`${head}${join(turns, '')}<|start_header_id|>assistant<|end_header_id|>\n\n${fixed(prefill(input))}`;
  },
  continuation: (_, label) => ` ${label}`,
};
