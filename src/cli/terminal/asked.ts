import { print } from './output.js';
import { type Composed, type NoText, nextText, pipedLines, type Typing } from './typing.js';

/** Asks for one text after another: of a person at a terminal, or of the lines of a pipe. */
export interface Asker {
  /** Ctrl-C is `interrupted` whatever is typed. */
  ask(draft: Composed): Promise<{ readonly text: string } | NoText>;
}

export function asker(interactive: boolean): Asker {
  if (!interactive) return { ask: piped };
  const typing: Typing = { ahead: [], history: [] };
  return { ask: draft => nextText(draft, typing, false) };
}

async function piped(draft: Composed): Promise<{ text: string } | NoText> {
  print(`${draft.prompt}\n`);
  for await (const line of pipedLines) {
    const text = draft.typed(line);
    if (text !== undefined) return { text };
  }
  return draft.isEmpty ? 'ended' : { text: draft.take() };
}
