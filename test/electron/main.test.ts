import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, afterEach, expect, test, vi } from 'vitest';
import { channels } from '../../examples/electron/src/shared.js';
import type { BrowserWindow } from './electron.js';

const root = resolve(import.meta.dirname, '../..');
const index = 'app://meditron/index.html';
const text = `A patient has atrial fibrillation: age 77, male. What is the patient's CHA2DS2-VASc score?\nA. 2\nB. 5`;

/** The app's folder while it is developed: Node and meditron are among its packages. */
const folder = mkdtempSync(join(tmpdir(), 'meditron electron-'));
mkdirSync(join(folder, 'node_modules', `node-${process.platform}-${process.arch}`, 'bin'), { recursive: true });
symlinkSync(process.execPath, join(folder, 'node_modules', `node-${process.platform}-${process.arch}`, 'bin', 'node'));
symlinkSync(root, join(folder, 'node_modules', 'meditron'));
afterAll(() => rmSync(folder, { recursive: true }));

let quit = async () => {};
afterEach(() => quit());

/** Electron, freshly started, with main.ts in it. */
async function main({ first = true, packaged = false } = {}) {
  vi.resetModules();
  const electron = await import('./electron.js');
  Object.assign(electron.app, { folder, first, isPackaged: packaged });
  quit = async () => {};
  await import('../../examples/electron/src/main.js');
  return electron;
}

/** The same with its window opened. */
async function open(given: { packaged?: boolean } = {}) {
  const electron = await main(given);
  const { app } = electron;
  quit = async () => {
    const over = once(app, 'quit');
    app.quit();
    await over;
  };
  app.start();
  const window = await opened(electron);
  return {
    ...electron,
    window,
    session: window.options.webPreferences!.session as unknown as typeof electron.Session.prototype,
  };
}

async function opened({
  app,
  BrowserWindow,
}: {
  app: Awaited<ReturnType<typeof main>>['app'];
  BrowserWindow: { getAllWindows(): BrowserWindow[] };
}) {
  await once(app, 'web-contents-created');
  const window = BrowserWindow.getAllWindows().at(-1)!;
  await once(window, 'loaded');
  return window;
}

/** Processes of plain Node that run an engine for this one. */
function engines(): string[] {
  const children = readFileSync(`/proc/${process.pid}/task/${process.pid}/children`, 'utf8').split(' ').filter(Boolean);
  return children.filter(pid => readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('host/child.js'));
}

test('before the app is ready every page is sandboxed, and the scheme is a standard and secure one, with no other privilege', async () => {
  const { app, schemes, BrowserWindow } = await main();
  expect(app.sandboxed).toBe(true);
  expect(schemes).toEqual([{ scheme: 'app', privileges: { standard: true, secure: true } }]);
  expect(BrowserWindow.getAllWindows()).toEqual([]);
});

test('the window shows the app’s own page when there is something to show, apart from Node', async () => {
  const { window } = await open();
  expect(window.options.webPreferences).toMatchObject({
    sandbox: true,
    contextIsolation: true,
    nodeIntegration: false,
    spellcheck: false,
    devTools: true,
    preload: expect.stringMatching(/preload\.cjs$/),
  });
  const dangerous = ['webSecurity', 'allowRunningInsecureContent', 'experimentalFeatures', 'nodeIntegrationInWorker'];
  for (const name of [...dangerous, 'nodeIntegrationInSubFrames', 'webviewTag', 'enableBlinkFeatures'])
    expect(window.options.webPreferences).not.toHaveProperty(name);
  expect(window.options.show).toBe(false);
  expect(window.shown).toBe(true);
  expect(window.webContents.mainFrame.url).toBe(index);
});

test('an app that is delivered has no developer tools', async () => {
  Object.assign(process, { resourcesPath: join(folder, 'resources') });
  const { window, session } = await open({ packaged: true });
  expect(window.options.webPreferences!.devTools).toBe(false);
  await expect(session.fetch('devtools://devtools/bundled/inspector.html')).rejects.toThrow('BLOCKED');
});

test('the page comes with its policy; nothing else is reached from its session, which is in memory', async () => {
  const { window, session } = await open();
  expect(session.partition).not.toMatch(/^persist:/);
  const policy = window.document!.headers.get('content-security-policy');
  expect(policy).toContain("default-src 'none'");
  expect(policy).toContain("frame-ancestors 'none'");
  expect(policy).not.toContain('unsafe');
  for (const url of [
    'https://example.com/',
    'http://127.0.0.1/',
    'file:///etc/passwd',
    'ws://example.com/',
    'data:text/html,x',
  ])
    await expect(session.fetch(url), url).rejects.toThrow('BLOCKED');
});

test('a page goes nowhere, opens nothing, holds no other page, downloads nothing and is permitted nothing', async () => {
  const { window, session } = await open();
  for (const event of ['will-frame-navigate', 'will-redirect', 'will-attach-webview'] as const)
    expect(window.webContents.lets(event), event).toBe(false);
  expect(window.webContents.opens('https://example.com/')).toBe(false);
  expect(session.downloads()).toBe(false);
  for (const permission of ['media', 'geolocation', 'notifications', 'clipboard-read', 'openExternal', 'usb'])
    expect(await session.grants(permission), permission).toBe(false);
});

test('a second start of the app opens a window in the first, and ends', async () => {
  const electron = await open();
  const more = opened(electron);
  electron.app.emit('second-instance');
  const second = await more;
  expect(second).not.toBe(electron.window);
  expect(electron.BrowserWindow.getAllWindows()).toHaveLength(2);
  expect(second.options.webPreferences!.session).toBe(electron.session);
  await quit();

  const { app, ipcMain, BrowserWindow } = await main({ first: false });
  quit = async () => {};
  app.start();
  expect(BrowserWindow.getAllWindows()).toEqual([]);
  await expect(ipcMain.call(channels.model, {} as never, [])).rejects.toThrow('No handler');
});

test('quitting in the middle of an answer waits until the engine’s process has ended', async () => {
  const { app, window } = await open();
  const { invoke } = window.webContents;
  expect(await invoke(channels.model)).toMatchObject({ ok: true });
  expect(await invoke(channels.ask, { text, samples: 9 })).toMatchObject({ ok: true });
  await invoke(channels.next);
  expect(engines()).toHaveLength(1);
  let over = false;
  app.once('quit', () => {
    over = true;
  });
  const ended = quit();
  quit = async () => {};
  expect(over).toBe(false);
  await ended;
  expect(engines()).toEqual([]);
});

test.runIf(process.platform === 'linux')('closing the last window quits the app', async () => {
  const { app, window } = await open();
  const over = once(app, 'quit');
  quit = async () => {};
  window.destroy();
  await over;
  expect(engines()).toEqual([]);
});

test('a page that dies as soon as it is opened is told of once; it is not opened again and again', async () => {
  const { window, dialog, BrowserWindow, app } = await open();
  const over = once(app, 'quit');
  quit = async () => {};
  window.webContents.crash();
  expect(dialog.errors).toEqual(['Meditron: The window failed as soon as it was opened.']);
  expect(BrowserWindow.getAllWindows()).toEqual([]);
  await over;
});
