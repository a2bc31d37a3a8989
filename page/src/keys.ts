import { signal } from '@preact/signals';
import { go, route, screens } from './router.js';

/** Whether the list of keys is shown. */
export const areKeysShown = signal(false);

export interface KeyTargets {
  readonly ask: () => void;
  readonly stop: () => void;
}

/** Ctrl+Enter asks, Esc stops, Alt+1 … 5 go to screens, ? lists them. On a Mac the command key does as well. */
export function listenToKeys({ ask, stop }: KeyTargets): void {
  addEventListener('keydown', event => {
    const { key, code, ctrlKey, metaKey, altKey, target } = event;
    if (event.defaultPrevented) return;
    if (key === 'Enter' && (ctrlKey || metaKey)) {
      event.preventDefault();
      if (route.value.screen === 'ask') ask();
    } else if (key === 'Escape' && !areKeysShown.value) stop();
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
