import { Presets, SingleBar } from 'cli-progress';
import type { Progress } from '../../evaluate/evaluate.js';

/** Shows how far an evaluation has come, and how long the run will still take. */
export interface EvaluationProgress {
  show(progress: Progress): void;
  stop(): void;
}

/** A bar on a terminal; elsewhere a line on stderr every half minute, and one when a run begins. */
export function evaluationProgress(): EvaluationProgress {
  return process.stderr.isTTY ? bar() : lines(text => process.stderr.write(`meditron: ${text}\n`));
}

/** For what is no terminal: `every` milliseconds a line, though no question may have ended meanwhile. */
export function lines(write: (line: string) => void, every = 30_000): EvaluationProgress {
  let latest: Progress | undefined;
  let estimate: Estimate | undefined;
  const say = () => latest && estimate && write(`${labelOf(latest)}, ${estimate.left(latest)}`);
  const timer = setInterval(say, every);
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

function bar(): EvaluationProgress {
  let shown: SingleBar | undefined;
  let estimate = new Estimate();
  return {
    show(progress) {
      if (!progress.row) {
        shown?.stop();
        estimate = new Estimate();
        const format = '{name} {bar} {value} of {total}, {left}';
        shown = new SingleBar(
          { stream: process.stderr, format, hideCursor: true, clearOnComplete: true },
          Presets.rect,
        );
        shown.start(progress.total, progress.done, { name: nameOf(progress), left: estimate.left(progress) });
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
    return `about ${inWords(((performance.now() - this.#from) / fresh) * (total - done))} left`;
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

/** `50 s`, `12 min`, `3 h 20 min`, `2 d 5 h` */
export function inWords(ms: number): string {
  const minutes = Math.round(ms / 60_000);
  if (ms < 90_000) return `${Math.max(1, Math.round(ms / 1000))} s`;
  if (minutes < 90) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}
