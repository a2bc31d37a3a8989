import { signal } from '@preact/signals';

export const screens = ['ask', 'chat', 'models', 'evaluate', 'records', 'about'] as const;
export type Screen = (typeof screens)[number];

/** The screen of an address such as `#/models`, and what follows it. */
export function routeOf(hash: string): { readonly screen: Screen; readonly rest: string } {
  const [, name, rest = ''] = /^#\/(\w+)\/?(.*)$/.exec(hash) ?? [];
  const screen = screens.find(known => known === name) ?? 'ask';
  return { screen, rest };
}

/** Where the page is. */
export const route = signal<ReturnType<typeof routeOf>>({ screen: 'ask', rest: '' });

export function beginRouting(): void {
  route.value = routeOf(location.hash);
  addEventListener('hashchange', () => {
    // A link to a place on the screen leads to no other.
    if (location.hash === '#main') return;
    route.value = routeOf(location.hash);
    scrollTo(0, 0);
  });
}

export function go(screen: Screen): void {
  location.hash = `#/${screen}`;
}
