// Runs in the page's process, sandboxed and in a world of its own: all that the page has of the other side is `window.meditron`.
import { contextBridge, ipcRenderer } from 'electron';
import { type Asked, channels, type MeditronApi, type Result, type Step } from './shared.js';

const api: MeditronApi = {
  model: () => invoke(channels.model),
  async ask({ text, samples }, { asked, progress }) {
    const begun = await invoke<Asked>(channels.ask, { text, samples });
    if (!begun.ok) return begun;
    asked(begun.value);
    for (;;) {
      const step = await invoke<Step>(channels.next);
      if (!step.ok) return step;
      const { events, answer } = step.value;
      if (events.length > 0) progress(events);
      if (answer) return { ok: true, value: answer };
    }
  },
  async stop() {
    await invoke(channels.stop);
  },
};

contextBridge.exposeInMainWorld('meditron', api);

async function invoke<T>(channel: string, given?: unknown): Promise<Result<T>> {
  try {
    return (await ipcRenderer.invoke(channel, given)) as Result<T>;
  } catch {
    return { ok: false, error: { code: 'APP_FAULT', message: 'The app does not answer. Please start it again.' } };
  }
}
