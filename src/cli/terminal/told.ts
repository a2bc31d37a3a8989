import type { Chains } from './chains.js';
import { oneLine } from './plain.js';

/** The chains in plain lines, which a screen reader can follow: every vote, and now and then how far it is. */
export function chainsTold(write: (line: string) => void, everyMs = 5_000, now = () => performance.now()): Chains {
  let last = now();
  let words = 0;
  let voted = 0;
  const tell = (line: string) => {
    last = now();
    write(`${line}\n`);
  };
  return {
    show(event) {
      if (event.type === 'text') words += event.text.split(/\s+/).length - 1;
      if (event.type === 'vote') {
        const { answer, tally } = event;
        voted++;
        const of = voted + (tally.notRun ?? 0);
        const said = answer === null ? 'gives no answer' : `says ${oneLine(answer)}`;
        tell(`${voted} of ${of} ${of === 1 ? 'chain has' : 'chains have'} ended. The latest ${said}.`);
      } else if (now() - last >= everyMs) {
        if (event.type === 'prompt') tell(`Reading the question: ${event.done} of ${event.total} pieces.`);
        if (event.type === 'text') tell(`Thinking: ${words} words so far.`);
      }
    },
    close() {},
  };
}
