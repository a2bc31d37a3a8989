import { roleMarkers } from '../hygiene/marker.js';
import { fixed, join, prompt } from '../segment.js';
import { chatFormat } from './chat.js';
import { chatTurn, prefill, systemOf, turnsOf } from './turn.js';

/** OLMo-2 and Tülu 3. Roles are plain text; only `<|endoftext|>`, which begins the text and ends an answer, is a token. */
export const olmo = chatFormat({
  name: 'olmo',
  description: 'OLMo-2 chat, for MeditronFO on OLMo-2',
  source:
    'allenai/OLMo-2-1124-7B-SFT tokenizer_config.json; allenai/open-instruct open_instruct/dataset_transformation.py (tulu)',
  plain: [roleMarkers],
  bos: true,
  stops: {
    tokens: ['<|endoftext|>'],
    texts: ['<|endoftext|>', '<|user|>', '<|assistant|>', '<|system|>'],
  },
  build(input) {
    const system = systemOf(input);
    const head = system === undefined ? [] : prompt`<|system|>\n${system}\n`;
    const turns = turnsOf(input, chatTurn).map(({ role, content }) =>
      role === 'user' ? prompt`<|user|>\n${content}\n` : prompt`<|assistant|>\n${content}<|endoftext|>\n`,
    );
    return prompt`${head}${join(turns, '')}<|assistant|>\n${fixed(prefill(input))}`;
  },
});
