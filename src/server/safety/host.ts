import { isIP } from 'node:net';
import { hostname } from 'node:os';
import type { MiddlewareHandler } from 'hono';
import { RequestError } from '../error.js';

/** Whether only this machine can reach an address. */
export function isLoopback(address: string): boolean {
  const bare = address.replace(/^\[|\]$/g, '').toLowerCase();
  return bare === 'localhost' || bare === '::1' || /^(::ffff:)?127(\.\d{1,3}){3}$/.test(bare);
}

/**
 * Refuses requests for another host than this one. A web site whose name is made to lead to this machine (DNS rebinding) has its own name in
 * `Host`: nobody can give it one of these names, nor a bare address. Any port is let through, because tunnels have their own.
 */
export function ownHost(listening: string, names: readonly string[]): MiddlewareHandler {
  const others = isLoopback(listening) ? names : [...names, listening, hostname(), `${hostname()}.local`];
  const known = new Set(others.map(name => name.toLowerCase()));
  const own = (name: string) =>
    isLoopback(name) || known.has(name) || (!isLoopback(listening) && isIP(name.replace(/^\[|\]$/g, '')) !== 0);
  return async (c, next) => {
    const name = nameIn(c.req.header('Host') ?? '');
    if (name !== undefined && own(name)) return next();
    throw new RequestError(
      421,
      'This server answers to the names of this machine alone, and `Host` has another or none. A name can be added with --host-name',
    );
  };
}

/** The name of `name:port`, in small letters; undefined if it is no such thing. */
function nameIn(host: string): string | undefined {
  return /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:\d{1,5})?$/.exec(host.toLowerCase())?.[1];
}
