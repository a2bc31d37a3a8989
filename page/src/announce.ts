import { signal } from '@preact/signals';

/** Milliseconds between two announcements at least. */
const pause = 3000;

/** What the one live region says. A screen reader says it when the person pauses. */
export const announced = signal('');

let last = Number.NEGATIVE_INFINITY;
let timer: ReturnType<typeof setTimeout> | undefined;
let next = '';

/** Says it, at most one thing every three seconds: of what comes in between, the newest. */
export function announce(text: string): void {
  next = text;
  if (timer !== undefined) return;
  timer = setTimeout(
    () => {
      timer = undefined;
      last = performance.now();
      announced.value = next;
    },
    Math.max(0, last + pause - performance.now()),
  );
}
