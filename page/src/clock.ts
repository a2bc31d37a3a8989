import { signal } from '@preact/signals';

/** Milliseconds since the page was opened; goes on once a second while somebody needs it. */
export const now = signal(performance.now());

let users = 0;
let timer: ReturnType<typeof setInterval> | undefined;

/** Lets the clock go until the promise settles. */
export async function whileRunning<T>(work: Promise<T>): Promise<T> {
  now.value = performance.now();
  if (users++ === 0)
    timer = setInterval(() => {
      now.value = performance.now();
    }, 1000);
  try {
    return await work;
  } finally {
    if (--users === 0) clearInterval(timer);
  }
}
