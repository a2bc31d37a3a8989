import { effect, untracked } from '@preact/signals';
import { AboutScreen } from './about/screen.js';
import { Api } from './api/api.js';
import { AskScreen } from './ask/screen.js';
import { AskStore } from './ask/store.js';
import { ChatScreen } from './chat/screen.js';
import { ChatStore } from './chat/store.js';
import { EvaluateScreen } from './evaluate/screen.js';
import { EvaluateStore } from './evaluate/store.js';
import { Machine } from './machine.js';
import { ModelsScreen } from './models/screen.js';
import { ModelsStore } from './models/store.js';
import { RecordsScreen } from './records/screen.js';
import { RecordsStore } from './records/store.js';
import { route } from './router.js';
import { Shell } from './shell.js';
import { pageKey } from './tab.js';
import { words } from './words/words.js';

/** One store a screen, made once. */
export interface Stores {
  readonly machine: Machine;
  readonly ask: AskStore;
  readonly chat: ChatStore;
  readonly models: ModelsStore;
  readonly evaluate: EvaluateStore;
  readonly records: RecordsStore;
}

export function makeStores(): Stores {
  const api = new Api(pageKey());
  const machine = new Machine(api);
  const ask = new AskStore(api, machine);
  const records = new RecordsStore(api, machine);
  ask.onAnswer = ({ answer }) => {
    if (answer.value) void records.keep(answer.value);
  };
  return {
    machine,
    ask,
    records,
    chat: new ChatStore(api, machine, ask.draft),
    models: new ModelsStore(api, machine),
    evaluate: new EvaluateStore(api, machine, ask.draft),
  };
}

export function App({ stores }: { readonly stores: Stores }) {
  return (
    <Shell machine={stores.machine} isSaid={saysUnreachable(stores)}>
      <Screen stores={stores} />
    </Shell>
  );
}

function Screen({ stores: { machine, ask, chat, models, evaluate, records } }: { readonly stores: Stores }) {
  switch (route.value.screen) {
    case 'chat':
      return <ChatScreen store={chat} />;
    case 'models':
      return <ModelsScreen store={models} machine={machine} draft={ask.draft} />;
    case 'evaluate':
      return <EvaluateScreen store={evaluate} machine={machine} />;
    case 'records':
      return <RecordsScreen store={records} machine={machine} />;
    case 'about':
      return <AboutScreen machine={machine} />;
    default:
      return <AskScreen store={ask} machine={machine} />;
  }
}

/** Whether the screen that is shown says where one asked it that the program does not answer: once is enough. */
function saysUnreachable({ ask, chat, models, evaluate, records }: Stores): boolean {
  const { draft, runs } = ask;
  const asked = runs.value.length > 0 ? runs.value : [draft];
  const screens = { ask: asked, chat: [chat], models: [models], evaluate: [evaluate], records: [records], about: [] };
  return screens[route.value.screen].some(({ problem }) => problem.value?.code === 'UNREACHABLE');
}

/** What a screen shows is fetched when it is opened, and once the server has said what this page may. */
export function keepFresh({ machine, chat, evaluate, records }: Stores): void {
  effect(() => {
    const { screen, rest } = route.value;
    const mayRead = machine.mayRead.value;
    untracked(() => {
      if (screen === 'models') void machine.refresh();
      if (screen === 'chat') void chat.measure();
      if (screen === 'evaluate' && mayRead) {
        void evaluate.refresh();
        void evaluate.open(rest === '' ? null : rest);
      }
      if (screen === 'records' && mayRead) void records.refresh();
    });
  });
}

/** The title says where the page is: a screen reader reads it when the address changes. */
export function keepTitle(): void {
  effect(() => {
    document.title = `${words.value.shell.screens[route.value.screen]} · Meditron`;
  });
}
