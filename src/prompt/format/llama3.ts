import type { Segment } from '../../types.js';
import { fixed, join, prompt, trimmed } from '../segment.js';
import { chatFormat } from './chat.js';
import { fixedDate } from './date.js';
import type { PromptFormat, PromptInput } from './format.js';
import { chatTurn, prefill, systemOf, turnsOf } from './turn.js';

/** Llama-3 chat, for Meditron3-8B and 70B, Med42 and OpenBioLLM. `<|begin_of_text|>` is the BOS and not written here. */
export const llama3 = chatFormat({
  name: 'llama-3',
  description: 'Llama-3 chat, for the Llama-3 line of MEDITRON, Med42 and OpenBioLLM',
  source:
    'meta-llama/llama3 llama/tokenizer.py (ChatFormat); EPFLiGHT/meditron-apertus axolotl_config/meditron-3-8b.yaml',
  bos: true,
  stops: { tokens: ['<|end_of_text|>', '<|eot_id|>'], texts: ['<|eot_id|>', '<|start_header_id|>'] },
  build(input) {
    const system = systemOf(input);
    return headed(input, system === undefined ? undefined : trimmed([{ text: system, template: false }]));
  },
});

/** Llama-3.1-Instruct itself: its template opens every conversation with a dated system turn, which Meditron3 was not trained on. */
export const llama31: PromptFormat = {
  ...llama3,
  name: 'llama-3.1',
  description: "Llama-3 chat with the dated system turn of Llama-3.1-Instruct's own template",
  source:
    'meta-llama/Llama-3.1-8B-Instruct tokenizer_config.json (llama.cpp models/templates/meta-llama-Llama-3.1-8B-Instruct.jinja)',
  build(input) {
    const system = trimmed([{ text: systemOf(input) ?? '', template: false }]);
    const dates = `Cutting Knowledge Date: December 2023\nToday Date: ${fixedDate.words}\n\n`;
    return headed(input, prompt`${fixed(dates)}${system}`);
  },
};

function headed(input: PromptInput, system: readonly Segment[] | undefined): Segment[] {
  const head = system === undefined ? [] : turn('system', system);
  const turns = turnsOf(input, chatTurn).map(({ role, content }) => turn(role, trimmed(content)));
  return prompt`${head}${join(turns, '')}<|start_header_id|>assistant<|end_header_id|>\n\n${fixed(prefill(input))}`;
}

function turn(role: string, content: readonly Segment[]): Segment[] {
  return prompt`<|start_header_id|>${fixed(role)}<|end_header_id|>\n\n${content}<|eot_id|>`;
}
