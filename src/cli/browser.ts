import { spawn } from 'node:child_process';

/** How each system opens an address. */
const openers: Readonly<Partial<Record<NodeJS.Platform, readonly [string, ...string[]]>>> = {
  darwin: ['open'],
  win32: ['rundll32', 'url.dll,FileProtocolHandler'],
};

/** Has the system open an address; why it did not, or undefined. */
export function openBrowser(url: string): Promise<string | undefined> {
  const [program, ...before] = openers[process.platform] ?? ['xdg-open'];
  return new Promise(resolve => {
    const opener = spawn(program, [...before, url], { stdio: 'ignore', detached: true });
    opener.once('error', (error: NodeJS.ErrnoException) =>
      resolve(error.code === 'ENOENT' ? `there is no ${program} here` : `${program}: ${error.code}`),
    );
    opener.once('exit', code =>
      resolve(code === 0 || code === null ? undefined : `${program} ended with code ${code}`),
    );
    opener.unref();
    setTimeout(() => resolve(undefined), 5000).unref(); // some openers stay as long as the browser
  });
}
