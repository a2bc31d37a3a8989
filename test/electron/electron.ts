// Stands in for the module `electron` of an app's main process: what examples/electron uses of it, with the meaning that Electron's
// documents and sources give it. It draws nothing.
import { EventEmitter, once } from 'node:events';
import type { BrowserWindowConstructorOptions, CustomScheme, PermissionCheckHandlerHandlerDetails } from 'electron';
import { MainStandIn, WindowStandIn } from './standin.js';

class Preventable {
  defaultPrevented = false;
  preventDefault(): void {
    this.defaultPrevented = true;
  }
}

class App extends EventEmitter {
  isPackaged = false;
  /** `app.getAppPath()`. */
  folder = '';
  /** Whether this is the first instance of the app. */
  first = true;
  sandboxed = false;
  ready = false;
  #quitting = false;

  enableSandbox(): void {
    if (this.ready) throw new Error('app.enableSandbox() can only be called before app is ready');
    this.sandboxed = true;
  }

  requestSingleInstanceLock(): boolean {
    return this.first;
  }

  getAppPath(): string {
    return this.folder;
  }

  async whenReady(): Promise<void> {
    if (!this.ready) await once(this, 'ready');
  }

  /** Starts what was imported. */
  start(): void {
    this.ready = true;
    this.emit('ready');
  }

  /** Closes all windows, then asks `will-quit`; who prevents it may quit later. */
  quit(): void {
    if (this.#quitting) return;
    this.#quitting = true;
    for (const window of BrowserWindow.getAllWindows()) window.destroy(true);
    const event = new Preventable();
    this.emit('will-quit', event);
    if (event.defaultPrevented) this.#quitting = false;
    else this.emit('quit');
  }
}

export const app = new App();

/** A window's contents; `go`, `frame` and `openWindow` are what a page can try. */
class Contents extends WindowStandIn {
  #openHandler: ((details: { url: string }) => { action: string }) | undefined;

  setWindowOpenHandler(handler: (details: { url: string }) => { action: string }): void {
    this.#openHandler = handler;
  }

  /** Whether something that a page tries is let through by the listeners of an event. */
  lets(event: 'will-frame-navigate' | 'will-redirect' | 'will-attach-webview'): boolean {
    const asked = new Preventable();
    this.emit(event, asked);
    return !asked.defaultPrevented;
  }

  opens(url: string): boolean {
    return this.#openHandler?.({ url }).action !== 'deny';
  }
}

export class BrowserWindow extends EventEmitter {
  static readonly #all = new Set<BrowserWindow>();
  static getAllWindows(): BrowserWindow[] {
    return [...BrowserWindow.#all];
  }

  readonly webContents = new Contents(ipcMain);
  shown = false;
  /** What is in the window. */
  document: Response | undefined;

  constructor(readonly options: BrowserWindowConstructorOptions) {
    super();
    if (!app.ready) throw new Error('Cannot create BrowserWindow before app is ready');
    BrowserWindow.#all.add(this);
    app.emit('web-contents-created', {}, this.webContents);
  }

  async loadURL(url: string): Promise<void> {
    this.document = await (this.options.webPreferences!.session as unknown as Session).fetch(url);
    this.webContents.reload(url);
    this.emit('ready-to-show');
    this.emit('loaded');
  }

  show(): void {
    this.shown = true;
  }

  destroy(quitting = false): void {
    if (!BrowserWindow.#all.delete(this)) return;
    this.webContents.close();
    this.emit('closed');
    if (BrowserWindow.#all.size === 0 && !quitting) app.emit('window-all-closed');
  }
}

export const ipcMain = new MainStandIn();

/** The schemes that were registered before the app was ready. */
export const schemes: CustomScheme[] = [];

export const protocol = {
  registerSchemesAsPrivileged(registered: CustomScheme[]): void {
    if (app.ready) throw new Error('protocol.registerSchemesAsPrivileged should be called before app is ready');
    schemes.push(...registered);
  },
};

type Listener = (details: { url: string }, answer: (response: { cancel?: boolean }) => void) => void;

export class Session extends EventEmitter {
  readonly #handlers = new Map<string, (request: Request) => Promise<Response>>();
  #before: Listener | undefined;
  /** What may be asked for, by what asks for it. */
  readonly asked: Record<'request' | 'check' | 'device', ((...given: never[]) => unknown) | undefined> = {
    request: undefined,
    check: undefined,
    device: undefined,
  };

  constructor(
    readonly partition: string,
    readonly options: { cache?: boolean },
  ) {
    super();
  }

  readonly protocol = {
    handle: (scheme: string, handler: (request: Request) => Promise<Response>): void => {
      this.#handlers.set(scheme, handler);
    },
  };

  readonly webRequest = {
    onBeforeRequest: (listener: Listener): void => {
      this.#before = listener;
    },
  };

  /** A request of a page in this session. */
  async fetch(url: string): Promise<Response> {
    const { cancel } = await new Promise<{ cancel?: boolean }>(answer => {
      if (this.#before) this.#before({ url }, answer);
      else answer({});
    });
    if (cancel) throw new Error('net::ERR_BLOCKED_BY_CLIENT');
    const handler = this.#handlers.get(url.slice(0, url.indexOf(':')));
    if (!handler) throw new Error(`${url} would be fetched from outside the app`);
    return handler(new Request(url));
  }

  setPermissionRequestHandler(
    handler: (contents: unknown, permission: string, answer: (granted: boolean) => void) => void,
  ): void {
    this.asked.request = handler;
  }

  setPermissionCheckHandler(
    handler: (c: unknown, permission: string, origin: string, details: PermissionCheckHandlerHandlerDetails) => boolean,
  ): void {
    this.asked.check = handler;
  }

  setDevicePermissionHandler(handler: (details: unknown) => boolean): void {
    this.asked.device = handler;
  }

  /** Whether a permission is given in any of the ways a page may ask for it. Electron gives every one where no handler is set. */
  async grants(permission: string): Promise<boolean> {
    const { request, check, device } = this.asked as Record<string, ((...given: unknown[]) => unknown) | undefined>;
    const requested = request ? await new Promise<unknown>(answer => request({}, permission, answer)) : true;
    return [requested, check ? check({}, permission, '', {}) : true, device ? device({}) : true].includes(true);
  }

  downloads(): boolean {
    const event = new Preventable();
    this.emit('will-download', event);
    return !event.defaultPrevented;
  }
}

export const session = {
  made: new Map<string, Session>(),
  fromPartition(partition: string, options: { cache?: boolean } = {}): Session {
    const made = this.made.get(partition) ?? new Session(partition, options);
    this.made.set(partition, made);
    return made;
  },
};

export const dialog = {
  /** What people were told. */
  errors: [] as string[],
  showErrorBox(title: string, content: string): void {
    this.errors.push(`${title}: ${content}`);
  },
};
