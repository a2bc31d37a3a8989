import { breakSpecials } from '../prompt/hygiene/special.js';
import type { Segment } from '../types.js';

/** Lays out messages so that they can be taken apart again; the marks are text that nothing from outside can spell. */
export const chatTemplate = '{% for message in messages %}<|role:{{ message.role }}|>{{ message.content }}{% endfor %}';

const roles = ['system', 'user', 'assistant'] as const;

export interface Message {
  readonly role: (typeof roles)[number];
  readonly content: string;
}

/** A prompt as it is sent: text for `completions`, messages for `chat/completions`. */
export interface SentPrompt {
  readonly text: string;
  /** Undefined if the prompt is sent as text. */
  readonly messages: readonly Message[] | undefined;
  /** What text from outside spelled and may not be: in words. */
  readonly broken: readonly string[];
}

/** Text from outside is kept from spelling special tokens, whatever vocabulary the server has. */
export function promptAsSent(segments: readonly Segment[]): SentPrompt {
  const broken = new Set<string>();
  const pieces = segments.map(({ text, template }) => {
    if (template) return text;
    const safe = breakSpecials(text);
    for (const { detail } of safe.findings) broken.add(detail);
    return safe.text;
  });
  const marked = segments.some(({ text, template }) => template && /<\|role:\w+\|>/.test(text));
  return { text: pieces.join(''), messages: marked ? messagesIn(segments, pieces) : undefined, broken: [...broken] };
}

/** Marks of roles are looked for in template segments alone. */
function messagesIn(segments: readonly Segment[], pieces: readonly string[]): Message[] {
  const messages: { role: Message['role']; content: string }[] = [];
  segments.forEach(({ template }, i) => {
    const parts = template ? pieces[i]!.split(/(<\|role:\w+\|>)/) : [pieces[i]!];
    for (const part of parts) {
      const role = template ? roles.find(name => part === `<|role:${name}|>`) : undefined;
      if (role) messages.push({ role, content: '' });
      else if (messages.length > 0) messages.at(-1)!.content += part;
    }
  });
  return messages;
}
