import type { Context } from 'hono';
import { eventStream, wantsEvents } from './events.js';
import { failed } from './failure.js';
import { Log } from './log.js';

/** Tells an event. */
export type Tell<E> = (event: E) => void;

/**
 * Answers with what some work tells, as a stream that ends with its result as the `last` event, or with why it failed; without
 * `Accept: text/event-stream` with the result alone. The work is aborted when the client leaves.
 */
export async function told<E, R>(
  c: Context,
  work: (tell: Tell<E>, signal: AbortSignal) => Promise<R>,
  last: (result: R) => unknown,
): Promise<Response> {
  if (!wantsEvents(c)) return c.json((await work(() => {}, c.req.raw.signal)) as object);
  return eventStream(c, signal => tellAll(work, last, signal));
}

async function* tellAll<E, R>(
  work: (tell: Tell<E>, signal: AbortSignal) => Promise<R>,
  last: (result: R) => unknown,
  signal: AbortSignal,
): AsyncGenerator<unknown> {
  const log = new Log<unknown>();
  const running = work(event => log.add(event), signal)
    .then(
      result => log.add(last(result)),
      error => log.add(failed(error)),
    )
    .finally(() => log.end());
  try {
    for await (const { event } of log.watch(0, signal)) yield event;
  } finally {
    await running;
  }
}
