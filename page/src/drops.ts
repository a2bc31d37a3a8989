/** A file that falls beside its place is not taken: the browser would open it in place of the page, and what was typed would be gone. */
export function keepFromDrops(): void {
  for (const type of ['dragover', 'drop'] as const)
    addEventListener(type, event => {
      if (event.defaultPrevented || !event.dataTransfer?.types.includes('Files')) return;
      event.preventDefault();
      event.dataTransfer.dropEffect = 'none';
    });
}
