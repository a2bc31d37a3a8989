/**
 * Who uses the keyboard keeps the place: when what has the focus goes away, the focus goes to the nearest thing around it that stays, and Tab
 * goes on from there. Otherwise it would fall to the beginning of the page.
 */
export function keepFocus(root: HTMLElement): void {
  let around: readonly HTMLElement[] = [];
  root.addEventListener('focusin', ({ target }) => {
    around = [];
    for (let element = target as HTMLElement; element !== root; element = element.parentElement!)
      around = [...around, element];
  });
  new MutationObserver(() => {
    const [had] = around;
    if (!had || had.isConnected || document.activeElement !== document.body) return;
    const next = around.find(element => element.isConnected);
    if (next) focusFor(next);
  }).observe(root, { childList: true, subtree: true });
}

/** Also on what cannot be reached by Tab, for as long as it has the focus. */
function focusFor(element: HTMLElement): void {
  if (!element.hasAttribute('tabindex')) {
    element.tabIndex = -1;
    element.addEventListener('blur', () => element.removeAttribute('tabindex'), { once: true });
  }
  element.focus({ preventScroll: true });
}
