import type { Asked, MeditronApi, Progress } from '../shared.js';
import { example } from './example.js';
import { View } from './view.js';

declare global {
  interface Window {
    /** Given by the preload script. */
    readonly meditron: MeditronApi;
  }
}

const { meditron } = window;
const view = new View();
view.text.value = example;
view.text.focus();

view.form.addEventListener('submit', event => {
  event.preventDefault();
  void ask();
});
view.stop.addEventListener('click', () => {
  view.stopping();
  void meditron.stop();
});
document.addEventListener('keydown', ({ key, ctrlKey, metaKey }) => {
  if (key === 'Escape') view.stop.click();
  if (key === 'Enter' && (ctrlKey || metaKey)) view.ask.click();
});

const model = await meditron.model();
if (model.ok) view.loaded(model.value);
else view.notLoaded(model.error);

async function ask(): Promise<void> {
  view.begin();
  const asked = (read: Asked) => view.asked(read);
  const progress = (events: readonly Progress[]) => {
    for (const event of events) view.progress(event);
  };
  const request = { text: view.text.value, samples: Number(view.samples.value) };
  const result = await meditron.ask(request, { asked, progress });
  if (result.ok) view.answer(result.value);
  else view.failed(result.error);
}
