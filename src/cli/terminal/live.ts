import { Chalk } from 'chalk';
import wrap from 'wrap-ansi';
import type { Finish } from '../../types.js';
import { print } from './output.js';
import { plain } from './plain.js';
import { redrawn } from './screen.js';
import type { Streams } from './streams.js';
import { hasColours } from './terminal.js';

interface Block {
  text: string;
  finish: Finish | undefined;
}

const colours = ['cyan', 'yellow', 'green', 'magenta', 'blue'] as const;
const redrawMs = 60;

/** Several samples on a terminal: the last lines of each while they grow, then each one whole under its heading. */
export function liveBlocks(samples: number): Streams {
  const stream = process.stdout;
  const chalk = new Chalk({ level: hasColours(stream) ? 1 : 0 });
  const blocks: Block[] = Array.from({ length: samples }, () => ({ text: '', finish: undefined }));
  const screen = redrawn(stream);
  let timer: NodeJS.Timeout | undefined;
  let closed = false;

  const heading = (index: number, { finish }: Block) => {
    const label = chalk.bold[colours[index % colours.length]!](`Sample ${index + 1}`);
    return finish ? `${label} ${chalk.dim(finishWords[finish])}` : label;
  };
  const draw = () => {
    timer = undefined;
    screen.draw(picture(blocks, heading, stream.columns ?? 80, stream.rows ?? 24));
  };
  const soon = () => {
    if (!closed) timer ??= setTimeout(draw, redrawMs);
  };
  return {
    text(sample, text) {
      blocks[sample]!.text += text;
      soon();
    },
    end(sample, finish) {
      blocks[sample]!.finish = finish;
      soon();
    },
    close() {
      if (closed) return;
      closed = true;
      clearTimeout(timer);
      screen.clear();
      const whole = blocks.map(
        (block, index) => `${heading(index, block)}\n${wrap(plain(block.text).trim(), stream.columns ?? 80)}\n`,
      );
      print(whole.join('\n'));
    },
  };
}

const finishWords: Readonly<Record<Finish, string>> = {
  end: '',
  stop: '(stop text)',
  length: '(cut off at the token limit)',
  cancelled: '(interrupted)',
};

/** What fits on the screen: as many lines of each sample as there is room for, and a count of those there is no room for. */
function picture(
  blocks: readonly Block[],
  heading: (index: number, block: Block) => string,
  columns: number,
  rows: number,
): string {
  const room = Math.max(2, rows - 2);
  const shown = blocks.slice(0, Math.max(1, Math.floor(room / 2)));
  const each = Math.min(4, Math.max(1, Math.floor(room / shown.length) - 1));
  const lines = shown.flatMap((block, index) => {
    const wrapped = wrap(plain(block.text).trim(), columns - 2, { hard: true }).split('\n');
    return [heading(index, block), ...wrapped.slice(-each).map(line => `  ${line}`)];
  });
  if (shown.length < blocks.length) lines.push(`… and ${blocks.length - shown.length} more`);
  return lines.join('\n');
}
