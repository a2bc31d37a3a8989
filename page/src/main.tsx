import { render } from 'preact';
import { App, keepTitle, makeStores } from './app.js';
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
listenToKeys({ ask: () => void stores.ask.ask(), stop: () => stores.ask.stop() });
render(<App stores={stores} />, document.getElementById('page')!);
void stores.machine.refresh();
