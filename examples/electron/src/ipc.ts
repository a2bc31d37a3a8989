// The four things a page can ask for. Of Electron only types are imported.
import type { IpcMain, IpcMainInvokeEvent, WebContents } from 'electron';
import type { Assistant } from './engine.js';
import { AppError, failureOf } from './failure.js';
import { isOwn } from './pages.js';
import { channels, type Result } from './shared.js';

/** Serves the pages of windows. Give each window's contents to what is returned, before anything is loaded in them. */
export function serve(ipcMain: Pick<IpcMain, 'handle'>, assistant: Assistant): (contents: WebContents) => void {
  const handle = (channel: string, work: (page: WebContents, given: unknown) => unknown) =>
    ipcMain.handle(channel, async (event, given: unknown): Promise<Result<unknown>> => {
      try {
        checkSender(event);
        return { ok: true, value: (await work(event.sender, given)) ?? null };
      } catch (error) {
        return { ok: false, error: failureOf(error) };
      }
    });
  handle(channels.model, () => assistant.model());
  handle(channels.ask, (page, request) => assistant.ask(page, request));
  handle(channels.next, page => assistant.next(page));
  handle(channels.stop, page => assistant.stop(page));

  return contents => {
    const leave = () => assistant.leave(contents);
    contents.on('did-navigate', leave); // reloads too: from now on another document asks
    contents.on('render-process-gone', leave);
    contents.on('destroyed', leave);
  };
}

/** Only the window's own document may ask: no frame in it, and nothing that came from elsewhere. */
function checkSender({ sender, senderFrame }: IpcMainInvokeEvent): void {
  if (senderFrame !== null && senderFrame === sender.mainFrame && isOwn(senderFrame.url)) return;
  throw new AppError('APP_REFUSED', "Expected a request of the app's own page.");
}
