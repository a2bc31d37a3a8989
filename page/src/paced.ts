/** Milliseconds between two changes of what is shown: text that streams need not be newer than the eye can read. */
const least = 250;

/** Asks for the work; told that it is urgent, with the next frame. */
export interface Paced {
  (urgent: boolean): void;
  /** It is not done any more, asked for or not: what comes next on the screen is another's. */
  cancel(): void;
}

/**
 * Has the work done, when it is asked for, at most once a frame and not more often than four times a second. In a hidden page, which has no
 * frames, a timer takes their place.
 */
export function paced(work: () => void): Paced {
  let done = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isAsked = false;
  let isCancelled = false;
  const run = () => {
    if (isCancelled) return;
    isAsked = false;
    timer = undefined;
    done = performance.now();
    work();
  };
  const frame = () => {
    if (isAsked) return;
    isAsked = true;
    if (document.hidden) setTimeout(run, 0);
    else requestAnimationFrame(run);
  };
  const ask = (urgent: boolean) => {
    if (isAsked || isCancelled) return;
    const wait = urgent ? 0 : done + least - performance.now();
    if (wait <= 0) {
      clearTimeout(timer);
      frame();
    } else timer ??= setTimeout(frame, wait);
  };
  const cancel = () => {
    isCancelled = true;
    clearTimeout(timer);
  };
  return Object.assign(ask, { cancel });
}
