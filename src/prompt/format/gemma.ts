import { fixed, join, prompt, trimmed } from '../segment.js';
import { chatFormat } from './chat.js';
import { chatTurn, prefill, systemOf, turnsOf } from './turn.js';

/**
 * Gemma 2 and 3, MedGemma. There is no system turn: Gemma 3's template puts a system text before the first question, as Google's guide tells
 * users of Gemma 2 to do, whose template refuses one. `<bos>` is the BOS and not written here.
 */
export const gemma = chatFormat({
  name: 'gemma',
  description: 'Gemma chat, for MEDITRON on Gemma 2 and 3, and MedGemma',
  source:
    'google/gemma-3-27b-it chat_template.json; google/gemma-2-2b-it tokenizer_config.json (llama.cpp models/templates/google-gemma-2-2b-it.jinja)',
  bos: true,
  stops: { tokens: ['<end_of_turn>', '<eos>'], texts: ['<end_of_turn>', '<start_of_turn>'] },
  build(input) {
    const system = systemOf(input);
    const turns = turnsOf(input, chatTurn).map(({ role, content }, i) => {
      const head = i === 0 && system !== undefined ? prompt`${system}\n\n` : [];
      return prompt`<start_of_turn>${fixed(role === 'user' ? 'user' : 'model')}\n${head}${trimmed(content)}<end_of_turn>\n`;
    });
    return prompt`${join(turns, '')}<start_of_turn>model\n${fixed(prefill(input))}`;
  },
});
