import { Hono, type MiddlewareHandler } from 'hono';
import * as v from 'valibot';
import { bodyOf } from '../body.js';
import type { HistoryEntry, HistoryItem, HistoryState } from '../protocol.js';
import type { History } from './store.js';

const passphrase = v.pipe(v.string(), v.minLength(8, 'a passphrase of at least 8 characters'), v.maxLength(1000));

export const historyRequest = v.strictObject({ on: v.boolean(), passphrase: v.optional(passphrase) });
export const unlockRequest = v.strictObject({ passphrase: v.string() });
export const addEntryRequest = v.strictObject({
  kind: v.picklist(['ask', 'chat']),
  title: v.pipe(v.string(), v.maxLength(200, 'a text of at most 200 characters')),
  data: v.unknown(),
});

/** The history of a person who wants one. All of it is for the page alone. */
export function historyRoutes(pageOnly: MiddlewareHandler, history: History): Hono {
  return new Hono()
    .use('/v1/meditron/history', pageOnly)
    .use('/v1/meditron/history/*', pageOnly)
    .get('/v1/meditron/history', async c => c.json<HistoryState>(await history.state()))
    .post('/v1/meditron/history', async c => {
      const { on, passphrase } = await bodyOf(c, historyRequest);
      return c.json<HistoryState>(await history.turn(on, passphrase));
    })
    .delete('/v1/meditron/history', async c => {
      await history.deleteAll();
      return c.json<HistoryState>(await history.state());
    })
    .post('/v1/meditron/history/unlock', async c => {
      const { passphrase } = await bodyOf(c, unlockRequest);
      return c.json<HistoryState>(await history.unlock(passphrase));
    })
    .post('/v1/meditron/history/lock', async c => c.json<HistoryState>(await history.lock()))
    .get('/v1/meditron/history/entries', async c => c.json<HistoryItem[]>(await history.list()))
    .post('/v1/meditron/history/entries', async c =>
      c.json<HistoryItem>(await history.add(await bodyOf(c, addEntryRequest)), 201),
    )
    .get('/v1/meditron/history/entries/:id', async c => c.json(await history.read(c.req.param('id'))))
    .delete('/v1/meditron/history/entries/:id', async c => {
      await history.delete(c.req.param('id'));
      return c.json<HistoryState>(await history.state());
    })
    .get('/v1/meditron/history/export', async c => {
      const entries = new TextEncoderStream();
      void writeAll(history, entries.writable);
      const name = `meditron-history-${new Date().toISOString().slice(0, 10)}.json`;
      return c.body(entries.readable, {
        headers: { 'Content-Type': 'application/json', 'Content-Disposition': `attachment; filename="${name}"` },
      });
    });
}

/** One after another: all of them may not fit in memory. Damaged ones are left out. */
async function writeAll(history: History, writable: WritableStream<string>): Promise<void> {
  const writer = writable.getWriter();
  try {
    let before = '[';
    for (const { id, kind } of await history.list()) {
      if (kind === 'damaged') continue;
      const entry: HistoryEntry = await history.read(id);
      await writer.write(`${before}\n${JSON.stringify(entry)}`);
      before = ',';
    }
    await writer.write(`${before === '[' ? '[' : ''}\n]\n`);
    await writer.close();
  } catch (error) {
    await writer.abort(error).catch(() => {});
  }
}
