import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** How often a process that has work is asked whether it lives. */
const beatMs = 1000;
/** A process that somebody has stopped is given up after so long. */
const stoppedMs = 3000;
/** Any other one after so long: a machine that swaps can keep it from answering. */
const silentMs = 30_000;
/** The same while it loads, when drivers of GPUs are started. */
const silentLoadMs = 180_000;

export interface Beating {
  readonly pid: number | undefined;
  ping(count: number): void;
  /** It does not answer any more: it hangs, or somebody has stopped it. */
  lost(stopped: boolean): void;
  readonly loading: () => boolean;
}

/** Asks a process every second whether it lives, while it has work. Answers come to {@link pong}. */
export class Heartbeat {
  #timer: ReturnType<typeof setInterval> | undefined;
  #count = 0;
  #answered = 0;
  /** When the oldest question without an answer was asked. */
  #since = 0;
  #last = 0;

  constructor(private readonly process: Beating) {}

  pong(count: number): void {
    this.#answered = Math.max(this.#answered, count);
    this.#since = performance.now();
  }

  watch(working: boolean): void {
    if (working === (this.#timer !== undefined)) return;
    if (!working) {
      clearInterval(this.#timer);
      this.#timer = undefined;
      return;
    }
    this.#answered = this.#count;
    this.#last = this.#since = performance.now();
    this.#timer = setInterval(() => this.#beat(), beatMs);
    this.#timer.unref();
  }

  #beat(): void {
    const now = performance.now();
    // This process was asleep or busy itself: answers may lie unread.
    if (now - this.#last > 3 * beatMs || this.#answered === this.#count) this.#since = now;
    this.#last = now;
    const silent = now - this.#since;
    const most = this.process.loading() ? silentLoadMs : silentMs;
    const stopped = silent >= stoppedMs - beatMs / 2 && isStopped(this.process.pid);
    if (stopped || silent > most) {
      this.watch(false);
      this.process.lost(stopped);
      return;
    }
    this.process.ping(++this.#count);
  }
}

/** Whether a process was stopped by a signal or a debugger; false where nobody can say. */
function isStopped(pid: number | undefined): boolean {
  if (pid === undefined || process.platform === 'win32') return false;
  try {
    if (process.platform !== 'linux')
      return execFileSync('ps', ['-o', 'state=', '-p', String(pid)], { encoding: 'utf8' })
        .trim()
        .startsWith('T');
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return /^[tT]/.test(stat.slice(stat.lastIndexOf(')') + 2));
  } catch {
    return false; // it has ended, which is told elsewhere
  }
}
