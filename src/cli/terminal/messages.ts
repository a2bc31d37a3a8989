import { createInterface, type Interface } from 'node:readline';
import { print } from './output.js';

/** The lines a person types at a prompt, until they leave with Ctrl-D or Ctrl-C; or the lines of a pipe. */
export function questions(interactive: boolean): AsyncIterable<string> {
  return interactive ? typed() : createInterface({ input: process.stdin, crlfDelay: Infinity });
}

/**
 * One readline interface a question: between two of them the terminal is in its ordinary mode, where Ctrl-C is a signal that
 * can stop an answer. What was typed or pasted ahead is kept for the next question; the history lives as long as the chat.
 */
async function* typed(): AsyncGenerator<string> {
  let history: string[] = [];
  let rest = '';
  for (;;) {
    const reader = createInterface({ input: process.stdin, output: process.stdout, prompt: '> ', history });
    reader.on('history', latest => {
      history = latest;
    });
    reader.prompt();
    if (rest !== '') reader.write(rest);
    const { lines, left } = await untilLine(reader);
    if (lines.length === 0) {
      print('\n');
      return;
    }
    if (left !== '') print('\n');
    yield* lines;
    rest = left;
  }
}

/** The lines that came at once, more than one if they were pasted, and what stands behind them; none if the person leaves. */
function untilLine(reader: Interface): Promise<{ lines: string[]; left: string }> {
  return new Promise(resolve => {
    const lines: string[] = [];
    reader.on('line', line => {
      lines.push(line);
      // Closing at once would lose the lines behind this one.
      if (lines.length === 1) setImmediate(() => reader.close());
    });
    reader.once('SIGINT', () => reader.close());
    reader.once('close', () => resolve({ lines, left: reader.line }));
  });
}
