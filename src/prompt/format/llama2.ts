import type { Segment } from '../../types.js';
import { instMarkers } from '../hygiene/marker.js';
import { fixed, join, prompt } from '../segment.js';
import { chatFormat } from './chat.js';
import { blankBefore, chatTurn, prefill, systemOf, turnsOf } from './turn.js';

/** Llama-2-chat. Its brackets are plain text; only `<s>` and `</s>` between turns are tokens. */
export const llama2 = chatFormat({
  name: 'llama-2',
  description: 'Llama-2-chat, for chat tunes of Llama-2 that use its own format',
  source: 'meta-llama/llama llama/generation.py (chat_completion)',
  plain: [instMarkers],
  stops: { tokens: ['</s>'], texts: ['</s>', '[INST]'] },
  build(input) {
    const system = systemOf(input);
    const head: Segment[] = system === undefined ? [] : prompt`<<SYS>>\n${system}\n<</SYS>>\n\n`;
    const turns = turnsOf(input, chatTurn).map(({ role, content }, i) => {
      if (role === 'assistant') return prompt`${blankBefore(content)}${content} </s>`;
      return i === 0 ? prompt`[INST] ${head}${content} [/INST]` : prompt`<s>[INST] ${content} [/INST]`;
    });
    const spoken = prefill(input);
    return prompt`${join(turns, '')}${fixed(spoken && ` ${spoken}`)}`;
  },
});
