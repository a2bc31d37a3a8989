import { render } from 'preact';
import { App, keepFresh, keepTitle, makeStores } from './app.js';
import { keepFromDrops } from './drops.js';
import { keepFocus } from './focus.js';
import { begin } from './kept.js';
import { listenToKeys } from './keys.js';
import { beginRouting } from './router.js';
import './style/page.css';
import './style/ask.css';
import './style/screens.css';
import './style/print.css';
import './style/sheet.css';

begin();
const stores = makeStores();
beginRouting();
keepTitle();
const { ask, chat, machine } = stores;
listenToKeys({
  ask: { ask: () => void ask.ask(), chat: () => void chat.send() },
  stop: { ask: () => ask.stop(), chat: () => chat.stop() },
});
const root = document.getElementById('page')!;
keepFocus(root);
keepFromDrops();
render(<App stores={stores} />, root);
void machine.refresh().then(() => keepFresh(stores));
