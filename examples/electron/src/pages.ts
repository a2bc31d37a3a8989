// What the window shows comes from one folder under one name, app://meditron, and from nowhere else.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

export const scheme = 'app';
export const origin = `${scheme}://meditron`;

/** Scripts and styles of the app alone, and no connection to anywhere. The page says the same of itself. */
export const contentSecurityPolicy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'";

const files: Readonly<Record<string, string>> = {
  'index.html': 'text/html; charset=utf-8',
  'style.css': 'text/css; charset=utf-8',
  'app.js': 'text/javascript; charset=utf-8',
};

const headers = {
  // Who may frame a page can only be said in a header.
  'content-security-policy': `${contentSecurityPolicy}; frame-ancestors 'none'`,
  'x-content-type-options': 'nosniff',
  'cache-control': 'no-store',
};

/** Whether an address is one of the app's own. Everything else is refused, whoever asks for it. */
export function isOwn(address: string): boolean {
  try {
    const { protocol, host } = new URL(address);
    return `${protocol}//${host}` === origin;
  } catch {
    return false;
  }
}

/** One of the page's files; 404 for whatever is not in the list, so that no address can lead out of the folder. */
export async function page(address: string, folder: string): Promise<Response> {
  const name = isOwn(address) ? new URL(address).pathname.slice(1) : '';
  const type = Object.hasOwn(files, name) ? files[name] : undefined;
  if (type === undefined) return new Response('', { status: 404, headers });
  return new Response(await readFile(join(folder, name)), { headers: { ...headers, 'content-type': type } });
}
