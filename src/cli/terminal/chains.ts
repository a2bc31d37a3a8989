import { Chalk } from 'chalk';
import stringWidth from 'string-width';
import type { AskEvent } from '../../ask/types.js';
import { oneLine } from './plain.js';
import { redrawn } from './screen.js';
import { hasColours, hasEscapes } from './terminal.js';

/** Where the chains are shown while they are written. */
export interface Chains {
  show(event: AskEvent): void;
  close(): void;
}

export const silentChains: Chains = { show() {}, close() {} };

interface Chain {
  text: string;
  /** Undefined while it is written. */
  answer: string | null | undefined;
  note: string;
}

const redrawMs = 80;

/** One line a chain on a terminal: its newest words while it is written, then what it voted for. Gone once the vote closes. */
export function chainsOn(stream: NodeJS.WriteStream): Chains {
  if (!hasEscapes(stream)) return silentChains;
  const chalk = new Chalk({ level: hasColours(stream) ? 1 : 0 });
  const screen = redrawn(stream);
  const chains = new Map<number, Chain>();
  let head = 'Reading the question';
  let timer: NodeJS.Timeout | undefined;
  let closed = false;

  const line = (index: number, { text, answer, note }: Chain): string => {
    const voted = answer === undefined ? '…' : (answer ?? '–');
    const label = `${String(index + 1).padStart(3)} ${oneLine(voted)} `;
    const room = Math.max(10, (stream.columns ?? 80) - stringWidth(label) - note.length - 2);
    const words = end(oneLine(text.trim()), room);
    return answer === undefined ? `${label}${chalk.dim(words)}` : `${chalk.bold(label)}${chalk.dim(words)}${note}`;
  };
  const draw = () => {
    timer = undefined;
    const most = Math.max(1, (stream.rows ?? 24) - 4);
    const all = [...chains].sort(([a], [b]) => a - b);
    const shown = all.slice(0, most).map(([index, chain]) => line(index, chain));
    if (all.length > most) shown.push(`    and ${all.length - most} more`);
    screen.draw([head, ...shown].join('\n'));
  };
  const soon = () => {
    if (!closed) timer ??= setTimeout(draw, redrawMs);
  };
  const chain = (index: number): Chain => {
    const known = chains.get(index) ?? { text: '', answer: undefined, note: '' };
    chains.set(index, known);
    return known;
  };
  return {
    show(event) {
      if (event.type === 'prompt') head = `Reading the question: ${event.done} of ${event.total} tokens`;
      if (event.type === 'text') {
        head = 'Thinking. Unverified until the vote closes:';
        chain(event.sample).text += event.text;
      }
      if (event.type === 'vote') {
        const { answer, forced, finish, tally } = event;
        const note = forced ? ' (when asked again)' : finish === 'length' ? ' (cut off)' : '';
        Object.assign(chain(event.sample), { answer, note });
        const counts = Object.entries(tally).filter(
          ([name, count]) => count > 0 && name !== 'notRun' && name !== 'unparsed',
        );
        head = `Thinking. Unverified until the vote closes: ${counts.map(([name, count]) => `${oneLine(name)} ${count}`).join(', ') || 'no answer yet'}`;
      }
      soon();
    },
    close() {
      if (closed) return;
      closed = true;
      clearTimeout(timer);
      screen.clear();
    },
  };
}

/** The end of a line, as much of it as there is room for. */
function end(text: string, room: number): string {
  if (stringWidth(text) <= room) return text;
  let cut = text.slice(-room);
  while (stringWidth(cut) > room - 1) cut = cut.slice(1);
  return `…${cut}`;
}
