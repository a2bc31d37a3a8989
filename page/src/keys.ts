import { signal } from '@preact/signals';
import { go, route, type Screen, screens } from './router.js';

/** Whether the list of keys is shown. */
export const areKeysShown = signal(false);

/** What a key does, screen by screen. */
type OnScreens = Readonly<Partial<Record<Screen, () => void>>>;

export interface KeyTargets {
  readonly ask: OnScreens;
  readonly stop: OnScreens;
}

/** Ctrl+Enter asks, Esc stops, Alt+1 … 5 go to screens, ? lists them. On a Mac the command key does as well. */
export function listenToKeys({ ask, stop }: KeyTargets): void {
  addEventListener('keydown', event => {
    const { key, code, ctrlKey, metaKey, altKey, target } = event;
    if (event.defaultPrevented) return;
    if (key === 'Enter' && (ctrlKey || metaKey)) {
      event.preventDefault();
      ask[route.value.screen]?.();
    } else if (key === 'Escape' && !areKeysShown.value) stop[route.value.screen]?.();
    // By its place, because Alt changes what a key writes.
    else if (altKey && !ctrlKey && /^Digit[1-5]$/.test(code)) {
      event.preventDefault();
      go(screens[Number(code.at(-1)) - 1]!);
    } else if (key === '?' && !isTyping(target)) {
      event.preventDefault();
      areKeysShown.value = true;
    }
  });
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.matches('input, textarea, select, [contenteditable]');
}
