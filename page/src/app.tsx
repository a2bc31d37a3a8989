import { effect } from '@preact/signals';
import { Api } from './api/api.js';
import { AskScreen } from './ask/screen.js';
import { AskStore } from './ask/store.js';
import { Machine } from './machine.js';
import { route } from './router.js';
import { Shell } from './shell.js';
import { pageKey } from './tab.js';
import { words } from './words/words.js';

/** One store a screen, made once. */
export interface Stores {
  readonly api: Api;
  readonly machine: Machine;
  readonly ask: AskStore;
}

export function makeStores(): Stores {
  const api = new Api(pageKey());
  const machine = new Machine(api);
  return { api, machine, ask: new AskStore(api, machine) };
}

export function App({ stores }: { readonly stores: Stores }) {
  return (
    <Shell machine={stores.machine}>
      <Screen stores={stores} />
    </Shell>
  );
}

function Screen({ stores }: { readonly stores: Stores }) {
  switch (route.value.screen) {
    default:
      return <AskScreen store={stores.ask} machine={stores.machine} />;
  }
}

/** The title says where the page is: a screen reader reads it when the address changes. */
export function keepTitle(): void {
  effect(() => {
    document.title = `${words.value.shell.screens[route.value.screen]} · Meditron`;
  });
}
