// Electron's message passing as an app meets it: every value is structurally cloned, an error that a handler throws arrives as a message, and
// windows have documents that go.
import { EventEmitter } from 'node:events';
import { runInNewContext } from 'node:vm';
import type { IpcMain, IpcMainInvokeEvent, WebContents, WebFrameMain } from 'electron';

type Handler = Parameters<IpcMain['handle']>[1];

export class MainStandIn implements Pick<IpcMain, 'handle'> {
  readonly #handlers = new Map<string, Handler>();

  handle(channel: string, handler: Handler): void {
    if (this.#handlers.has(channel)) throw new Error(`Attempted to register a second handler for '${channel}'`);
    this.#handlers.set(channel, handler);
  }

  async call(channel: string, event: IpcMainInvokeEvent, given: unknown[]): Promise<unknown> {
    const handler = this.#handlers.get(channel);
    if (!handler) throw new Error(`No handler registered for '${channel}'`);
    return handler(event, ...given);
  }
}

/** A window's contents, and the document that is in it. */
export class WindowStandIn extends EventEmitter {
  mainFrame: { url: string } = { url: 'app://meditron/index.html' };
  #gone = false;

  constructor(readonly main: MainStandIn) {
    super();
  }

  get contents(): WebContents {
    return this as unknown as WebContents;
  }

  /** `ipcRenderer.invoke` of the document that is in the window now. What comes after it has gone reaches nobody. */
  invoke = async (channel: string, ...given: unknown[]): Promise<unknown> => {
    const document = this.mainFrame;
    return this.invokeFrom(document, channel, ...given);
  };

  async invokeFrom(frame: { url: string } | null, channel: string, ...given: unknown[]): Promise<unknown> {
    const sent = structuredClone(given); // throws as Electron does: "An object could not be cloned."
    await turn();
    const document = this.mainFrame;
    const event = { sender: this.contents, senderFrame: frame as WebFrameMain | null } as IpcMainInvokeEvent;
    let answer: unknown;
    try {
      answer = structuredClone(await this.main.call(channel, event, sent));
    } catch (error) {
      await turn();
      throw new Error(`Error invoking remote method '${channel}': ${error}`);
    }
    await turn();
    if (this.#gone || (document !== this.mainFrame && frame === document)) return new Promise(() => {});
    return answer;
  }

  /** Another document is in the window. */
  reload(url = this.mainFrame.url): void {
    this.mainFrame = { url };
    this.emit('did-navigate', {}, url, 200, 'OK');
  }

  crash(): void {
    this.#gone = true;
    this.emit('render-process-gone', {}, { reason: 'crashed', exitCode: 5 });
  }

  close(): void {
    this.#gone = true;
    this.emit('destroyed');
  }
}

/** What a preload script gives a window's page, by name. */
export function exposed(preload: string, window: WindowStandIn): Readonly<Record<string, unknown>> {
  const apis: Record<string, unknown> = {};
  const electron = {
    contextBridge: {
      exposeInMainWorld: (name: string, api: unknown) => {
        apis[name] = api;
      },
    },
    ipcRenderer: { invoke: window.invoke },
  };
  runInNewContext(preload, { require: (name: string) => (name === 'electron' ? electron : undefined) });
  return apis;
}

/** Messages are never delivered within the call that sends them. */
function turn(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve));
}
