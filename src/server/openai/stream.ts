import { setTimeout } from 'node:timers/promises';
import type { Context } from 'hono';
import { errorBody } from '../error.js';
import { eventStream } from '../meditron/events.js';
import { inFields } from './fields.js';

/** How long a stream waits for its first event before it begins with none. */
const patienceMs = 1000;

/**
 * Chunks as server-sent events, at last `[DONE]`. What is refused at once is answered with its status and no stream; what fails later ends the stream
 * with the error in place of a chunk.
 */
export async function streamed(
  c: Context,
  chunksOf: (signal: AbortSignal) => AsyncGenerator<object, void, void>,
): Promise<Response> {
  const left = new AbortController();
  const chunks = chunksOf(AbortSignal.any([left.signal, c.req.raw.signal]));
  const first = chunks.next();
  first.catch(() => {});
  const patience = new AbortController();
  try {
    await Promise.race([first, setTimeout(patienceMs, undefined, { signal: patience.signal, ref: false })]);
  } finally {
    patience.abort();
  }
  const begin = (leaving: AbortSignal) => {
    leaving.addEventListener('abort', () => left.abort());
    return rest(first, chunks);
  };
  return eventStream(c, begin, '[DONE]');
}

async function* rest(
  first: Promise<IteratorResult<object, void>>,
  chunks: AsyncGenerator<object, void, void>,
): AsyncGenerator<object, void, void> {
  try {
    for (let next = await first; !next.done; next = await chunks.next()) yield next.value;
  } catch (error) {
    yield errorBody(inFields(error));
  } finally {
    await chunks.return();
  }
}
