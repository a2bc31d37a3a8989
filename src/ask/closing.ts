import { setMaxListeners } from 'node:events';
import type { Interruption } from '../vote/count/decision.js';
import type { Ask } from './options.js';

/** What may end the asking from outside, as one signal. */
export interface Closing extends Disposable {
  readonly signal: AbortSignal;
  /** Why the vote closes early; undefined while it does not. Throws the reason of `signal` if the asking was cancelled. */
  why(): Interruption | undefined;
}

/** Watches the caller's signals and the clock until disposed of. */
export function closingOf(ask: Pick<Ask, 'deadline' | 'until' | 'signal'>): Closing {
  const controller = new AbortController();
  setMaxListeners(0, controller.signal); // one a job
  const close = () => controller.abort();
  const timer = ask.deadline === undefined ? undefined : setTimeout(close, ask.deadline);
  // `any` adds no listener to signals that many questions may share.
  const given = AbortSignal.any([ask.signal, ask.until].filter(signal => signal !== undefined));
  given.addEventListener('abort', close, { once: true });
  if (given.aborted) close();
  return {
    signal: controller.signal,
    why() {
      ask.signal?.throwIfAborted();
      if (!controller.signal.aborted) return undefined;
      return ask.until?.aborted ? 'aborted' : 'deadline';
    },
    [Symbol.dispose]() {
      clearTimeout(timer);
      given.removeEventListener('abort', close);
      close(); // whatever still runs for this question is not wanted any more
    },
  };
}
