import type { MiddlewareHandler } from 'hono';
import { RequestError } from '../error.js';

const reading = ['GET', 'HEAD'];

/**
 * Refuses what a browser sends for another site. A browser says so itself: in `Origin`, in `Sec-Fetch-Site`, or by a content type that a form could
 * send without asking. Programs send none of the first two. Following a link to an address here is let through: it only reads, and the other site
 * does not get to see it.
 */
export const ownOrigin: MiddlewareHandler = async (c, next) => {
  const origin = c.req.header('Origin');
  if (origin !== undefined && origin !== ownOf(c.req.url, c.req.header('Host'), origin)) throw foreign('Origin');
  const site = c.req.header('Sec-Fetch-Site');
  const follows = reading.includes(c.req.method) && c.req.header('Sec-Fetch-Mode') === 'navigate';
  if (site !== undefined && site !== 'same-origin' && site !== 'none' && !follows) throw foreign('Sec-Fetch-Site');
  if (c.req.method === 'POST' && !isJson(c.req.header('Content-Type'))) {
    throw new RequestError(
      415,
      'Expected `Content-Type` to be application/json: a form of any web site could send the others',
    );
  }
  await next();
};

function foreign(header: string): RequestError {
  return new RequestError(
    403,
    `This was sent for another web site, as \`${header}\` says; only the page of this server is answered`,
  );
}

/** The origin that a page of this server would have, with the scheme that was given: a proxy may speak https. */
function ownOf(url: string, host: string | undefined, origin: string): string {
  const own = new URL(url);
  const scheme = /^https?:(?=\/\/)/.exec(origin)?.[0];
  return `${scheme ?? own.protocol}//${(host ?? own.host).toLowerCase()}`;
}

function isJson(type: string | undefined): boolean {
  return /^application\/json *(;|$)/i.test(type ?? '');
}
