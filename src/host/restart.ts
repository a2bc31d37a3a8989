import { createHash } from 'node:crypto';
import { serialize } from 'node:v8';
import type { Death } from '../check/died.js';

/** Pauses before a process is started again, by the number of deaths in a row; the last stands for all further ones. */
const pausesMs = [0, 250, 1000, 2000, 5000];
/** Deaths in a row after which none is started any more. */
const mostDeaths = 8;

/** Decides when a process that died is started again. Deaths are in a row while no job has finished between them. */
export class Restarts {
  #deaths = 0;

  died(): void {
    this.#deaths++;
  }

  /** A job has finished. */
  progressed(): void {
    this.#deaths = 0;
  }

  /** Milliseconds to wait before the next start; null for no more starts. */
  get pauseMs(): number | null {
    if (this.#deaths >= mostDeaths) return null;
    return this.#deaths === 0 ? 0 : pausesMs[Math.min(this.#deaths, pausesMs.length) - 1]!;
  }

  get deaths(): number {
    return this.#deaths;
  }
}

/** Deaths after which a request is refused. */
const mostDeathsOfOne = 2;

/**
 * Remembers which requests were running when a process died, by a hash of what they ask. A request that finishes is forgotten. Where
 * the death came from outside, all requests are, as soon as any of them finishes.
 */
export class Quarantine {
  readonly #crashes = new Map<string, number>();
  readonly #external = new Map<string, number>();

  /** No request is under suspicion. */
  get empty(): boolean {
    return this.#crashes.size === 0 && this.#external.size === 0;
  }

  has(key: string): boolean {
    return (this.#crashes.get(key) ?? 0) + (this.#external.get(key) ?? 0) >= mostDeathsOfOne;
  }

  /** The requests that were running when a process died. */
  died(keys: Iterable<string>, { external }: Death): void {
    const deaths = external ? this.#external : this.#crashes;
    for (const key of keys) deaths.set(key, (deaths.get(key) ?? 0) + 1);
  }

  finished(key: string): void {
    this.#crashes.delete(key);
    this.#external.clear();
  }
}

/** A hash of what a request asks, and of what it starts from. */
export function keyOf(verb: string, content: object, start: string): string {
  return createHash('sha256')
    .update(serialize([verb, content, start]))
    .digest('base64');
}
