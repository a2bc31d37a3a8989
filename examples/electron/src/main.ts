import { join } from 'node:path';
import { app, BrowserWindow, dialog, ipcMain, protocol, type Session, session, type WebContents } from 'electron';
import { Assistant } from './engine.js';
import { serve } from './ipc.js';
import { isOwn, origin, page, scheme } from './pages.js';
import { modelPath, nodePath } from './places.js';

app.enableSandbox();
protocol.registerSchemesAsPrivileged([{ scheme, privileges: { standard: true, secure: true } }]);

if (app.requestSingleInstanceLock()) start();
else app.quit();

function start(): void {
  const { platform, arch, resourcesPath: resources } = process;
  const place = { packaged: app.isPackaged, resources, folder: app.getAppPath(), platform, arch };
  const assistant = new Assistant({
    modelPath: modelPath(place),
    nodePath: nodePath(place),
    onDeath: ({ signal, exitCode, phase }) => console.error('The engine ended:', { signal, exitCode, phase }),
  });
  const watch = serve(ipcMain, assistant);

  app.on('web-contents-created', (_, contents) => {
    confine(contents);
    watch(contents);
  });
  app.on('second-instance', () => open());
  app.on('activate', () => {
    if (BrowserWindow.getAllWindows().length === 0) open();
  });
  app.on('window-all-closed', () => {
    if (process.platform !== 'darwin') app.quit();
  });

  // The engine's process ends before the app does. It would end by itself, should the app be killed.
  let ended = false;
  app.on('will-quit', event => {
    if (ended) return;
    event.preventDefault();
    void assistant.close().finally(() => {
      ended = true;
      app.quit();
    });
  });

  void app.whenReady().then(() => {
    open();
    void assistant.model().catch(() => {}); // begun now; the page is told when it asks
  });
}

function open(): void {
  const window = new BrowserWindow({
    width: 1080,
    height: 860,
    minWidth: 380,
    title: 'Meditron',
    backgroundColor: '#f7f8fa',
    show: false,
    webPreferences: {
      preload: join(import.meta.dirname, 'preload.cjs'),
      session: inMemory(),
      sandbox: true,
      contextIsolation: true,
      nodeIntegration: false,
      spellcheck: false, // its dictionaries come from the network
      devTools: !app.isPackaged,
    },
  });
  window.once('ready-to-show', () => window.show());
  // The engine is not touched by it, and what the page asked has been dropped.
  const opened = performance.now();
  window.webContents.on('render-process-gone', (_, { reason }) => {
    if (reason === 'clean-exit') return;
    console.error('The page ended:', reason);
    window.destroy();
    if (performance.now() - opened > 10_000) open();
    else dialog.showErrorBox('Meditron', 'The window failed as soon as it was opened.');
  });
  void window.loadURL(`${origin}/index.html`);
}

let only: Session | undefined;

/** A session that keeps nothing on disk, may do nothing and reaches nothing but the app's own files. */
function inMemory(): Session {
  if (only) return only;
  only = session.fromPartition('meditron', { cache: false });
  only.protocol.handle(scheme, ({ url }) => page(url, join(import.meta.dirname, 'renderer')));
  only.webRequest.onBeforeRequest(({ url }, answer) => answer({ cancel: !isOwn(url) && !isDevTools(url) }));
  only.setPermissionRequestHandler((_, __, answer) => answer(false));
  only.setPermissionCheckHandler(() => false);
  only.setDevicePermissionHandler(() => false);
  only.on('will-download', event => event.preventDefault());
  return only;
}

function isDevTools(url: string): boolean {
  return !app.isPackaged && url.startsWith('devtools://');
}

/** No page goes anywhere, opens anything or holds another. */
function confine(contents: WebContents): void {
  contents.setWindowOpenHandler(() => ({ action: 'deny' }));
  contents.on('will-frame-navigate', event => event.preventDefault());
  contents.on('will-redirect', event => event.preventDefault());
  contents.on('will-attach-webview', event => event.preventDefault());
}
