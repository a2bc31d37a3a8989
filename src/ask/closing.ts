import type { Interruption } from '../vote/count/decision.js';
import type { Ask } from './options.js';

/** What may end the asking from outside, as one signal. */
export interface Closing extends Disposable {
  readonly signal: AbortSignal;
  /** Why the vote closes early; undefined while it does not. Throws the reason of `signal` if the asking was cancelled. */
  why(): Interruption | undefined;
}

/** Watches the caller's signals and the clock until disposed of. */
export function closingOf(ask: Ask): Closing {
  const controller = new AbortController();
  const close = () => controller.abort();
  const timer = ask.deadline === undefined ? undefined : setTimeout(close, ask.deadline);
  const signals = [ask.signal, ask.until].filter(signal => signal !== undefined);
  for (const signal of signals) {
    if (signal.aborted) close();
    signal.addEventListener('abort', close, { once: true });
  }
  return {
    signal: controller.signal,
    why() {
      ask.signal?.throwIfAborted();
      if (!controller.signal.aborted) return undefined;
      return ask.until?.aborted ? 'aborted' : 'deadline';
    },
    [Symbol.dispose]() {
      clearTimeout(timer);
      close(); // whatever still runs for this question is not wanted any more
      for (const signal of signals) signal.removeEventListener('abort', close);
    },
  };
}
