import { hashes } from '../hygiene/marker.js';
import { fixed, join, prompt } from '../segment.js';
import { chatFormat } from './chat.js';
import { baseTokens } from './stops.js';
import { chatTurn, prefill, systemOf, turnsOf } from './turn.js';

/** Alpaca, for the community's MEDITRON-7B-chat. Spacing is that of the model card's text, not of its code sample. */
export const alpaca = chatFormat({
  name: 'alpaca',
  description: 'Alpaca instructions and responses, for MEDITRON-7B-chat',
  source: 'Hugging Face malhajar/meditron-7b-chat, model card',
  plain: [hashes],
  stops: { tokens: baseTokens, texts: ['###'] },
  build(input) {
    const system = systemOf(input);
    const head = system === undefined ? [] : prompt`${system}\n\n`;
    const turns = turnsOf(input, chatTurn).map(({ role, content }) =>
      role === 'user' ? prompt`### Instruction:\n\n${content}\n\n### Response:\n` : prompt`${content}\n\n`,
    );
    return prompt`${head}${join(turns, '')}${fixed(prefill(input))}`;
  },
});
