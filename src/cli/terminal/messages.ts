import { Draft } from './draft.js';
import { print } from './output.js';
import { nextText, pipedLines, type Typing } from './typing.js';

/** The messages a person types at a prompt, until they leave with Ctrl-D or Ctrl-C; or those of a pipe, a line each or fenced. */
export function messages(interactive: boolean): AsyncIterable<string> {
  return interactive ? typed() : piped();
}

async function* piped(): AsyncGenerator<string> {
  const draft = new Draft();
  for await (const line of pipedLines) {
    // A `\` at the end of a line is part of it: programs write lines as they are.
    const message = draft.isEmpty && line.trim() !== '"""' ? line : draft.typed(line);
    if (message !== undefined) yield message;
  }
  if (!draft.isEmpty) yield draft.take();
}

/** The history lives as long as the chat. */
async function* typed(): AsyncGenerator<string> {
  const typing: Typing = { ahead: [], history: [] };
  for (;;) {
    const next = await nextText(new Draft(), typing);
    if (typeof next === 'string') {
      print('\n');
      return;
    }
    yield next.text;
  }
}
