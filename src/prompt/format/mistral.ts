import { instMarkers } from '../hygiene/marker.js';
import { fixed, join, prompt } from '../segment.js';
import { chatFormat } from './chat.js';
import { chatTurn, prefill, turnsOf } from './turn.js';

/** Mistral-7B-Instruct of 2023, for BioMistral. Its brackets are plain text, there is no system turn, and `<s>` is not written here. */
export const mistral = chatFormat({
  name: 'mistral',
  description: 'Mistral-7B-Instruct of 2023, for BioMistral',
  source: 'mistralai/Mistral-7B-Instruct-v0.1 tokenizer_config.json',
  system: false,
  plain: [instMarkers],
  bos: true,
  stops: { tokens: ['</s>'], texts: ['</s>', '[INST]'] },
  build(input) {
    const turns = turnsOf(input, chatTurn).map(({ role, content }) =>
      role === 'user' ? prompt`[INST] ${content} [/INST]` : prompt`${content}</s> `,
    );
    const spoken = prefill(input);
    return prompt`${join(turns, '')}${fixed(spoken && ` ${spoken}`)}`;
  },
});
