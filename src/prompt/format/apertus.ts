import { fixed, join, prompt } from '../segment.js';
import { chatFormat } from './chat.js';
import { fixedDate } from './date.js';
import { chatTurn, prefill, systemOf, turnsOf } from './turn.js';

/** What the published template says where no system text is given; it puts today's date there. */
const defaultSystem = `You are Apertus, a helpful assistant created by the SwissAI initiative.\nKnowledge cutoff: 2024-04\nCurrent date: ${fixedDate.iso}`;

/** Apertus-Instruct without deliberation and tools, for MeditronFO. `<s>` is the BOS and not written here. */
export const apertus = chatFormat({
  name: 'apertus',
  description: 'Apertus chat, for MeditronFO on Apertus',
  source:
    'swiss-ai/Apertus-8B-Instruct-2509 chat_template.jinja (llama.cpp models/templates/Apertus-8B-Instruct.jinja)',
  bos: true,
  stops: { tokens: ['<|assistant_end|>', '</s>'], texts: ['<|assistant_end|>', '<|user_start|>'] },
  build(input) {
    const system = systemOf(input) ?? fixed(defaultSystem);
    const turns = turnsOf(input, chatTurn).map(({ role, content }) =>
      role === 'user'
        ? prompt`<|user_start|>${content}<|user_end|>`
        : prompt`<|assistant_start|>${content}<|assistant_end|>`,
    );
    return prompt`<|system_start|>${system}<|system_end|><|developer_start|>Deliberation: disabled\nTool Capabilities: disabled<|developer_end|>${join(turns, '')}<|assistant_start|>${fixed(prefill(input))}`;
  },
});
