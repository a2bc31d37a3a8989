import { inTime } from '../../check/words.js';
import type { Progress } from '../../evaluate/evaluate.js';
import { say } from './output.js';
import { type Bar, bar, hasBars } from './screen.js';

/** Shows how far an evaluation has come, and how long the run will still take. */
export interface EvaluationProgress {
  show(progress: Progress): void;
  stop(): void;
}

/** A bar on a terminal; elsewhere a line on stderr every half minute, and one when a run begins; for a program neither. */
export function evaluationProgress(json: boolean): EvaluationProgress {
  if (hasBars()) return bars();
  return json ? { show() {}, stop() {} } : lines(text => say(`meditron: ${text}`));
}

/** For what is no terminal: `every` milliseconds a line, though no question may have ended meanwhile. */
export function lines(write: (line: string) => void, every = 30_000): EvaluationProgress {
  let latest: Progress | undefined;
  let estimate: Estimate | undefined;
  const tell = () => latest && estimate && write(`${labelOf(latest)}, ${estimate.left(latest)}`);
  const timer = setInterval(tell, every);
  timer.unref();
  return {
    show(progress) {
      if (!progress.row) {
        estimate = new Estimate();
        write(labelOf(progress));
      }
      latest = progress;
    },
    stop: () => clearInterval(timer),
  };
}

function bars(): EvaluationProgress {
  let shown: Bar | undefined;
  let estimate = new Estimate();
  return {
    show(progress) {
      if (!progress.row) {
        shown?.stop();
        estimate = new Estimate();
        const words = { name: nameOf(progress), left: estimate.left(progress) };
        shown = bar('{name} {bar} {value} of {total}, {left}', progress.total, progress.done, words);
      } else shown?.update(progress.done, { left: estimate.left(progress) });
    },
    stop() {
      shown?.stop();
      shown = undefined;
    },
  };
}

/** From the questions of this run and this start alone: another mode takes another time. */
class Estimate {
  readonly #from = performance.now();

  left({ done, resumed, total }: Progress): string {
    const fresh = done - resumed;
    if (done === total) return 'done';
    if (fresh === 0) return 'no estimate yet';
    return `about ${inTime(((performance.now() - this.#from) / fresh) * (total - done))} left`;
  }
}

function labelOf(progress: Progress): string {
  const { done, resumed, total } = progress;
  const before = resumed > 0 && !progress.row ? ', answered before' : '';
  return `${nameOf(progress)}: ${done} of ${total} questions${before}`;
}

function nameOf({ run, place, runs }: Progress): string {
  return runs > 1 ? `${run} (${place} of ${runs})` : run;
}

/** A bar on a terminal for work of which the fraction done is known, if it takes more than half a second. */
export function progressBar(what: string): { show(fraction: number): void; stop(): void } {
  let percent = 0;
  let shown: Bar | undefined;
  const begin = () => {
    shown = bar(`${what} {bar} {percentage} %`, 100, percent);
  };
  const timer = hasBars() ? setTimeout(begin, 500) : undefined;
  return {
    show(fraction) {
      percent = Math.floor(fraction * 100);
      shown?.update(percent);
    },
    stop() {
      clearTimeout(timer);
      shown?.stop();
      shown = undefined;
    },
  };
}
