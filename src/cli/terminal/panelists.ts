import { Chalk } from 'chalk';
import type { AskEvent } from '../../ask/types.js';
import type { PanelEvent } from '../../panel/types.js';
import { oneLine } from './plain.js';
import { redrawn } from './screen.js';
import { hasColours, hasEscapes } from './terminal.js';

/** Where the models of a panel are shown while they answer. */
export interface Panelists {
  show(event: PanelEvent): void;
  close(): void;
}

export const silentPanelists: Panelists = { show() {}, close() {} };

const redrawMs = 80;

/** One line a model on a terminal: what it does now, and its votes so far. Gone once the panel has come to its end. */
export function panelistsOn(stream: NodeJS.WriteStream, names: readonly string[]): Panelists {
  if (!hasEscapes(stream)) return silentPanelists;
  const chalk = new Chalk({ level: hasColours(stream) ? 1 : 0 });
  const screen = redrawn(stream);
  const doing = names.map(() => 'waits');
  const width = Math.min(30, Math.max(...names.map(name => name.length)));
  let timer: NodeJS.Timeout | undefined;
  let closed = false;

  const draw = () => {
    timer = undefined;
    const room = Math.max(10, (stream.columns ?? 80) - width - 4);
    const lines = names.map((name, i) => {
      const label = oneLine(name).slice(0, width).padEnd(width);
      return `  ${chalk.bold(label)}  ${chalk.dim(doing[i]!.slice(0, room))}`;
    });
    screen.draw(['Several models answer. Unverified until all have:', ...lines].join('\n'));
  };
  return {
    show(event) {
      const words = inWords(event);
      if (words === undefined || closed) return;
      doing[event.member] = oneLine(words);
      timer ??= setTimeout(draw, redrawMs);
    },
    close() {
      if (closed) return;
      closed = true;
      clearTimeout(timer);
      screen.clear();
    },
  };
}

/** What a model does now; undefined where nothing new is to be said. */
function inWords(event: PanelEvent): string | undefined {
  switch (event.type) {
    case 'loading':
      return event.fraction < 1 ? `is loaded: ${Math.floor(100 * event.fraction)} %` : 'is loaded';
    case 'failed':
      return 'could not be asked';
    case 'answered':
      return event.answer.decision === null ? 'has answered' : `${event.answer.decision}: ${event.answer.summary}`;
    case 'ask':
      return askInWords(event.event);
  }
}

function askInWords(event: AskEvent): string | undefined {
  if (event.type === 'prompt') return `reads the question: ${event.done} of ${event.total} tokens`;
  if (event.type !== 'vote') return undefined;
  const { unparsed, notRun: _, ...tally } = event.tally;
  const counts = Object.entries(tally).filter(([, count]) => count > 0);
  const said = counts.map(([name, count]) => `${name} ${count}`).join(', ') || 'no answer yet';
  return `thinks: ${said}${unparsed > 0 ? `, ${unparsed} without an answer` : ''}`;
}
