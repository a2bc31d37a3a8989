import type { Context } from 'hono';
import { accepts } from 'hono/accepts';
import type { Numbered } from './log.js';

/** A comment is sent when nothing else has been for so long, for whatever stands between that closes silent connections. */
const quietMs = 15_000;

const headers = {
  'Content-Type': 'text/event-stream; charset=utf-8',
  'Cache-Control': 'no-cache',
  'X-Accel-Buffering': 'no',
};

/** Whether the request asks for a stream of events, rather than for JSON. */
export function wantsEvents(c: Context): boolean {
  return (
    accepts(c, {
      header: 'Accept',
      supports: ['application/json', 'text/event-stream'],
      default: 'application/json',
    }) === 'text/event-stream'
  );
}

/**
 * Events as they come, as server-sent events: one that is numbered with its `id`. `begin` is given a signal that is aborted when the client
 * leaves; it is not asked for more events than the client takes. `last` is the data of a line behind them.
 */
export function eventStream(
  c: Context,
  begin: (signal: AbortSignal) => AsyncGenerator<unknown>,
  last?: string,
): Response {
  const left = new AbortController();
  const events = begin(AbortSignal.any([left.signal, c.req.raw.signal]));
  const encoder = new TextEncoder();
  let next: ReturnType<typeof events.next> | undefined;
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      next ??= events.next();
      const come = await unlessQuiet(next);
      if (come === undefined) return controller.enqueue(encoder.encode(': \n\n'));
      next = undefined;
      if (come.done) {
        if (last !== undefined) controller.enqueue(encoder.encode(`data: ${last}\n\n`));
        controller.close();
      } else controller.enqueue(encoder.encode(lineOf(come.value)));
    },
    async cancel() {
      left.abort();
      await events.return(undefined);
    },
  });
  return c.body(body, { headers });
}

function lineOf(value: unknown): string {
  if (!isNumbered(value)) return `data: ${JSON.stringify(value)}\n\n`;
  return `id: ${value.id}\ndata: ${JSON.stringify(value.event)}\n\n`;
}

function isNumbered(value: unknown): value is Numbered<unknown> {
  return typeof value === 'object' && value !== null && 'id' in value && 'event' in value;
}

/** Undefined if it has not come after a while. */
async function unlessQuiet<T>(promise: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const quiet = new Promise<undefined>(resolve => {
    timer = setTimeout(resolve, quietMs, undefined);
  });
  try {
    return await Promise.race([promise, quiet]);
  } finally {
    clearTimeout(timer);
  }
}

/** Behind which event a client goes on: its `Last-Event-ID`, 0 for all of them. */
export function lastEventOf(c: Context): number {
  const id = c.req.header('Last-Event-ID') ?? '';
  return /^\d{1,9}$/.test(id) ? Number(id) : 0;
}
