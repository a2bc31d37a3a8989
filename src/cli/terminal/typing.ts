import { createInterface, type Key } from 'node:readline';
import { pipedText } from '../input.js';
import { print } from './output.js';
import { bracketedPaste } from './screen.js';
import { hasEscapes } from './terminal.js';

/** Something that a person types, a line after another, until it is complete. */
export interface Composed {
  readonly isEmpty: boolean;
  /** What stands before the next line of it. */
  readonly prompt: string;
  /** Takes a line that was typed, and ended with Enter. Returns the text if it is complete with it. */
  typed(line: string): string | undefined;
  /** Takes a line that was pasted. */
  pasted(line: string): string | undefined;
  /** What there is; nothing is left. */
  take(): string;
}

/** What goes from one text to the next. */
export interface Typing {
  /** Lines that came in one piece with the end of the text before. */
  ahead: string[];
  history: string[];
}

/** How a text ended, if not with one: Ctrl-C where nothing was typed, or the end of the input. */
export type NoText = 'interrupted' | 'ended';

/** Lines that follow each other faster than this were not typed. */
const pasteMs = 40;

/**
 * Lets a person type a text. Between two of them the terminal is in its ordinary mode, where Ctrl-C is a signal that can stop an answer.
 *
 * @param keeps Ctrl-C throws away what is typed and begins anew; else it leaves whatever is typed
 */
export function nextText(draft: Composed, typing: Typing, keeps = true): Promise<{ text: string } | NoText> {
  if (process.stdin.readableEnded || process.stdin.destroyed) return Promise.resolve('ended');
  const terminal = hasEscapes(process.stdout);
  const reader = createInterface({ input: process.stdin, output: process.stdout, history: typing.history, terminal });
  return new Promise(resolve => {
    let pasting = false;
    /** Lines that came at once: one is Enter, several are a paste in a terminal that does not say so. */
    let burst: string[] = [];
    let timer: NodeJS.Timeout | undefined;
    let text: string | undefined;
    let interrupted = false;

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
        text = isTyped ? draft.typed(line) : draft.pasted(line);
        if (text === undefined) continue;
        typing.ahead = burst.slice(i + 1);
        burst = [];
        return reader.close();
      }
      burst = [];
      prompt();
    };
    const onKey = (_: string | undefined, key: Key) => {
      const name: string | undefined = key?.name;
      // What ends the input on Windows, as Ctrl-D does elsewhere.
      if (process.platform === 'win32' && key?.ctrl && name === 'z') return reader.close();
      if (name === 'paste-start') pasting = true;
      if (name !== 'paste-end') return;
      pasting = false;
      if (!draft.isEmpty) prompt();
    };
    const onSignal = () => {
      if (!keeps || (draft.isEmpty && reader.line === '' && burst.length === 0)) {
        interrupted = true;
        return reader.close();
      }
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
      if (text !== undefined) return resolve({ text });
      if (interrupted) return resolve('interrupted');
      // The input ended, with Ctrl-D or because the terminal has gone: what there is of a text is sent.
      for (const line of burst) draft.pasted(line);
      resolve(draft.isEmpty ? 'ended' : { text: draft.take() });
    });
    prompt();
    if (typing.ahead.length > 0) take(typing.ahead.splice(0));
  });
}

const lines = linesOf(pipedText());

/** The lines of an input that nobody types. One reader for all who ask for them, because it reads ahead; who stops leaves the rest to the next. */
export const pipedLines: AsyncIterable<string> = {
  [Symbol.asyncIterator]: () => ({
    next: () => lines.next(),
  }),
};

async function* linesOf(text: AsyncIterable<string>): AsyncGenerator<string> {
  let rest = '';
  for await (const piece of text) {
    const parts = (rest + piece).split('\n');
    rest = parts.pop()!;
    for (const line of parts) yield line.replace(/\r$/, '');
  }
  if (rest !== '') yield rest;
}
