import { randomBytes } from 'node:crypto';
import { Hono } from 'hono';
import { RequestError } from './error.js';

/** How long a browser may take to come up. */
const openMs = 120_000;

/**
 * Addresses that lead to the page with its key once. A program that is told to open a browser gets one of them: other users of the machine can read
 * what it was told, and it is worth nothing when the browser has been there.
 */
export class Openings {
  readonly #codes = new Map<string, number>();

  constructor(private readonly pageKey: string) {}

  /** A path that works once, for two minutes. */
  path(): string {
    const code = randomBytes(16).toString('base64url');
    this.#codes.set(code, performance.now() + openMs);
    return `/open/${code}`;
  }

  get routes(): Hono {
    return new Hono().get('/open/:code', c => {
      const code = c.req.param('code');
      const until = this.#codes.get(code) ?? 0;
      this.#codes.delete(code);
      if (until < performance.now()) {
        throw new RequestError(
          410,
          'This address works once, and only for two minutes. `meditron serve` has printed one that stays',
        );
      }
      return c.redirect(`/#key=${this.pageKey}`, 303);
    });
  }
}
