/** Milliseconds between two changes of what is shown: text that streams need not be newer than the eye can read. */
const least = 250;

/**
 * A function that has the work done at most once a frame and not more often than four times a second; told that it is urgent, with the next
 * frame. In a hidden page, which has no frames, a timer takes their place.
 */
export function paced(work: () => void): (urgent: boolean) => void {
  let done = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isAsked = false;
  const run = () => {
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
  return urgent => {
    if (isAsked) return;
    const wait = urgent ? 0 : done + least - performance.now();
    if (wait <= 0) {
      clearTimeout(timer);
      frame();
    } else timer ??= setTimeout(frame, wait);
  };
}
