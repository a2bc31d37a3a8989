import { createInterface, type Key } from 'node:readline';
import { Draft } from './draft.js';
import { print } from './output.js';
import { bracketedPaste } from './screen.js';
import { hasEscapes } from './terminal.js';

/** The messages a person types at a prompt, until they leave with Ctrl-D or Ctrl-C; or those of a pipe, a line each or fenced. */
export function messages(interactive: boolean): AsyncIterable<string> {
  return interactive ? typed() : piped();
}

async function* piped(): AsyncGenerator<string> {
  const draft = new Draft();
  for await (const line of createInterface({ input: process.stdin, crlfDelay: Infinity })) {
    // A `\` at the end of a line is part of it: programs write lines as they are.
    const message = draft.isEmpty && line.trim() !== '"""' ? line : draft.typed(line);
    if (message !== undefined) yield message;
  }
  if (!draft.isEmpty) yield draft.take();
}

/**
 * One readline interface a message: between two of them the terminal is in its ordinary mode, where Ctrl-C is a signal that can
 * stop an answer. What was typed ahead is kept for the next message; the history lives as long as the chat.
 */
async function* typed(): AsyncGenerator<string> {
  const typing: Typing = { draft: new Draft(), ahead: [], history: [] };
  for (;;) {
    const message = await nextMessage(typing);
    if (message === undefined) {
      print('\n');
      return;
    }
    yield message;
  }
}

/** What goes from one message to the next. */
interface Typing {
  readonly draft: Draft;
  /** Lines that came in one piece with the end of the message before. */
  ahead: string[];
  history: string[];
}

/** Lines that follow each other faster than this were not typed. */
const pasteMs = 40;

/** The next message, or undefined if the person leaves. */
function nextMessage(typing: Typing): Promise<string | undefined> {
  const { draft, history } = typing;
  const terminal = hasEscapes(process.stdout);
  const reader = createInterface({ input: process.stdin, output: process.stdout, history, terminal });
  return new Promise(resolve => {
    let pasting = false;
    /** Lines that came at once: one is Enter, several are a paste in a terminal that does not say so. */
    let burst: string[] = [];
    let timer: NodeJS.Timeout | undefined;
    let message: string | undefined;

    const prompt = () => {
      reader.setPrompt(draft.prompt);
      reader.prompt(true);
    };
    const take = (lines: readonly string[]) => {
      burst.push(...lines);
      clearTimeout(timer);
      timer = setTimeout(afterBurst, pasteMs);
    };
    const afterBurst = () => {
      const isTyped = burst.length === 1 && reader.line === '';
      for (const [i, line] of burst.entries()) {
        message = isTyped ? draft.typed(line) : draft.pasted(line);
        if (message === undefined) continue;
        typing.ahead = burst.slice(i + 1);
        burst = [];
        return reader.close();
      }
      burst = [];
      prompt();
    };
    const onKey = (_: string | undefined, key: Key) => {
      const name: string | undefined = key?.name;
      if (name === 'paste-start') pasting = true;
      if (name !== 'paste-end') return;
      pasting = false;
      if (!draft.isEmpty) prompt();
    };
    const onSignal = () => {
      if (draft.isEmpty && reader.line === '' && burst.length === 0) return reader.close();
      draft.take();
      burst = [];
      reader.write(null, { ctrl: true, name: 'e' });
      reader.write(null, { ctrl: true, name: 'u' });
      print('\n');
      prompt();
    };

    reader.on('history', latest => {
      typing.history = latest;
    });
    reader.on('line', line => {
      if (pasting) draft.pasted(line);
      else take([line]);
    });
    reader.on('SIGINT', onSignal);
    process.stdin.on('keypress', onKey);
    process.on('SIGINT', onSignal);
    const paste = bracketedPaste();
    reader.once('close', () => {
      clearTimeout(timer);
      paste.end();
      process.stdin.off('keypress', onKey);
      process.off('SIGINT', onSignal);
      // The input ended, with Ctrl-D or because the terminal has gone: what there is of a message is sent.
      for (const line of burst) draft.pasted(line);
      resolve(message ?? (draft.isEmpty ? undefined : draft.take()));
    });
    prompt();
    if (typing.ahead.length > 0) take(typing.ahead.splice(0));
  });
}
