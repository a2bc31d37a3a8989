import { optionError, quoted } from '../../check/errors.js';
import type { Message } from '../../prompt/question/question.js';
import { RequestError } from '../error.js';
import type { RequestMessage } from './request.js';

const roles = { system: 'system', developer: 'system', user: 'user', assistant: 'assistant' } as const;

/** Messages as clients of OpenAI send them, in words of ours. A message without text says nothing, and is left out. */
export function messagesOf(given: readonly RequestMessage[]): Message[] {
  return given.flatMap(({ role, content }, i) => {
    const known = Object.hasOwn(roles, role) ? roles[role as keyof typeof roles] : undefined;
    if (known === undefined) {
      const expected = `one of ${Object.keys(roles).join(', ')}: no tools are called here`;
      throw new RequestError(
        400,
        `Expected \`messages[${i}].role\` to be ${expected}, got ${quoted(role)}`,
        `messages[${i}].role`,
        {},
        'ERR_OPTION',
      );
    }
    const text = textOf(content ?? '', `messages[${i}].content`);
    return text === '' && known !== 'user' ? [] : [{ role: known, content: text }];
  });
}

function textOf(content: NonNullable<RequestMessage['content']>, where: string): string {
  if (typeof content === 'string') return content;
  return content
    .map((part, i) => {
      if (typeof part === 'string') return part;
      if (part.type === 'text' && typeof part.text === 'string') return part.text;
      throw optionError(`${where}[${i}]`, 'a part of type text: this model reads no images, sounds or files', part);
    })
    .join('');
}
