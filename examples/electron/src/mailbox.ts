import { setTimeout as pause } from 'node:timers/promises';
import type { Progress, Shown, Step } from './shared.js';

/** A page is told at most thirty times a second: more often nobody can see. */
const pauseMs = 33;

/**
 * What has happened and was not fetched yet. The page fetches when it has shown what it fetched before, so a slow one is never sent more than
 * it can take; texts that wait become one, so no more waits here than the samples are long.
 */
export class Mailbox {
  #events: Progress[] = [];
  #end: { readonly answer: Shown } | { readonly error: unknown } | undefined;
  #wake: (() => void) | undefined;

  put(event: Progress): void {
    if (this.#end) return;
    const i =
      event.type === 'text' ? this.#events.findLastIndex(e => e.type === 'text' && e.sample === event.sample) : -1;
    const before = this.#events[i];
    // A vote or another sample's text between the two changes nothing for either.
    if (before?.type === 'text' && event.type === 'text')
      this.#events[i] = { ...before, text: before.text + event.text };
    else this.#events.push(event);
    this.#wake?.();
  }

  end(end: { readonly answer: Shown } | { readonly error: unknown }): void {
    this.#end ??= end;
    this.#wake?.();
  }

  /** Waits until something has happened. Throws what the asking threw. */
  async take(): Promise<Step> {
    if (this.#events.length === 0 && !this.#end) {
      await new Promise<void>(resolve => {
        this.#wake = resolve;
      });
      if (!this.#end) await pause(pauseMs);
    }
    const events = this.#events;
    this.#events = [];
    if (!this.#end) return { events, answer: null };
    if ('answer' in this.#end) return { events, answer: this.#end.answer };
    throw this.#end.error;
  }
}
