import { safely } from './storage.js';

/**
 * What a reload of this tab finds again, until the tab is closed: the key of the page and the id of the ask that runs. Neither says anything of what
 * was asked, and both mean nothing once the server has ended.
 */
const names = { key: 'meditron.key', ask: 'meditron.ask' };
const tab = safely(() => sessionStorage);

/** The key from the address that `meditron serve` printed, which is taken out of the address bar and its history. */
export function pageKey(): string | undefined {
  const [, given] = /^#key=([\w-]+)/.exec(location.hash) ?? [];
  if (given === undefined) return tab.get(names.key) ?? undefined;
  history.replaceState(null, '', '#/ask');
  tab.set(names.key, given);
  return given;
}

export const runningAsk = {
  get: () => tab.get(names.ask),
  set: (id: string | null) => tab.set(names.ask, id),
};
